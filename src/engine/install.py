"""Puts an engine's packages into a folder that nobody else uses yet.

It is given one JSON argument, `folder`, `requirements` (pip's format, with hashes), `files` (written beside the packages),
`proof` (a statement that must run), and says what it does in lines of JSON on standard output. The last line is
`done` or `failed`. When standard input ends before, pipectl is gone, and this process group ends at once.
"""

import base64
import errno
import hashlib
import html.parser
import importlib.util
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
import zipfile

# Used where Python comes without pip, as Debian's does: Python runs the wheel as it is.
PIP = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
DEFAULT_INDEX = "https://pypi.org/simple"

# How to reach an index is the user's business. Everything else that can be set for pip is about other installations.
PIP_SETTINGS_KEPT = {
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
}

SECONDS_BETWEEN_PROGRESS = 0.2


class Failed(Exception):
    def __init__(self, why, detail):
        super().__init__(detail)
        self.why = why
        self.detail = detail


def main():
    threading.Thread(target=end_with_pipectl, daemon=True).start()
    order = json.loads(sys.argv[1])
    try:
        say({"done": {"bytes": install(order)}})
    except Failed as failure:
        say({"failed": {"why": failure.why, "detail": failure.detail}})
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        say({"failed": {"why": "disk_full" if full else "other", "detail": str(error)}})


def end_with_pipectl():
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def say(message):
    print(json.dumps(message), flush=True)


def install(order):
    folder = pathlib.Path(order["folder"])
    site = folder / "site"
    downloads = folder / "downloads"
    site.mkdir()
    downloads.mkdir()
    requirements = downloads / "requirements.txt"
    requirements.write_text(order["requirements"])

    download(requirements, downloads)
    hashes = set(re.findall(r"sha256:([0-9a-f]{64})", order["requirements"]))
    for wheel in sorted(downloads.glob("*.whl")):
        if sha256(wheel) not in hashes:
            raise Failed("hash", f"{wheel.name} has another hash than the one that is pinned")
        say({"unpacking": wheel.name})
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    for child in sorted(downloads.rglob("*"), reverse=True):
        child.rmdir() if child.is_dir() else child.unlink()
    downloads.rmdir()
    for name, content in order["files"].items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    prove(order["proof"], site)
    return size(folder)


def download(requirements, downloads):
    """Lets pip do it, since it knows the user's index, certificates, proxy and cache, and which wheel fits."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "PYTHON")) or name in PIP_SETTINGS_KEPT
    }
    # pip unpacks in the temporary folder: here it is on the right disk, visible as progress, and gone with the folder.
    environment.update(TMPDIR=str(downloads), PIP_REQUIRE_VIRTUALENV="0", PIP_NO_INPUT="1", NO_COLOR="1")
    command = [sys.executable, "-I", *pip(downloads), "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--disable-pip-version-check"]
    command += ["--dest", str(downloads), "--requirement", str(requirements)]
    log = downloads / "pip.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd=downloads
        )
        while True:
            try:
                code = process.wait(SECONDS_BETWEEN_PROGRESS)
                break
            except subprocess.TimeoutExpired:
                say({"downloading": size(downloads)})
    if code != 0:
        raise pip_failure(log.read_text(errors="replace"))


def pip(downloads):
    """What runs pip: the installed module, else the wheel that Python brings along, else one from the index."""
    if importlib.util.find_spec("pip") is not None:
        return ["-m", "pip"]
    bundled = importlib.util.find_spec("ensurepip")
    if bundled is not None:
        for wheel in pathlib.Path(bundled.origin).parent.glob("_bundled/pip-*.whl"):
            return [str(wheel / "pip")]
    say({"fetching_pip": PIP})
    wheel = downloads / "pip" / PIP
    wheel.parent.mkdir()
    wheel.write_bytes(fetch_pip())
    if sha256(wheel) != PIP_SHA256:
        raise Failed("hash", f"{PIP} has another hash than the one that is pinned")
    return [str(wheel / "pip")]


def fetch_pip():
    index = (os.environ.get("PIP_INDEX_URL") or DEFAULT_INDEX).rstrip("/")
    try:
        page, url = get(f"{index}/pip/", {"Accept": "text/html"})
        links = Links()
        links.feed(page.decode("utf-8", "replace"))
        for link in links.found:
            if urllib.parse.urlsplit(link).path.endswith("/" + PIP):
                return get(urllib.parse.urljoin(url, link), {})[0]
    except (OSError, ValueError) as error:
        raise Failed("download", f"{PIP}, which is needed since this Python has no pip: {error}") from error
    raise Failed("download", f"the index has no {PIP}, which is needed since this Python has no pip")


def get(url, headers):
    parts = urllib.parse.urlsplit(url)
    request = urllib.request.Request(url, headers=headers)
    if parts.username is not None:
        # urllib does not read a name and a password out of an address.
        user = urllib.parse.unquote(parts.username) + ":" + urllib.parse.unquote(parts.password or "")
        host = parts.netloc.rpartition("@")[2]
        request = urllib.request.Request(urllib.parse.urlunsplit(parts._replace(netloc=host)), headers=headers)
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read(), answer.url


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def pip_failure(log):
    lines = [line.strip() for line in log.splitlines() if line.strip()] or ["pip says nothing"]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    # pip goes on without an index that it cannot reach, and ends with "no matching distribution".
    unreachable = [line for line in lines if "Retrying" in line or "onnection" in line]
    if "No space left on device" in log or "Disk quota exceeded" in log:
        return Failed("disk_full", errors[-1])
    if "DO NOT MATCH THE HASHES" in log:
        return Failed("hash", "pip found a package with another hash than the one that is pinned")
    if unreachable:
        return Failed("download", sentence(unreachable[-1]))
    if "No matching distribution found" in log:
        return Failed("no_wheel", sentence(errors[-1]))
    return Failed("download", sentence(errors[-1]))


def sentence(line):
    for level in ("ERROR: ", "WARNING: "):
        line = line.removeprefix(level)
    return line if len(line) <= 300 else line[:300] + "..."


def prove(proof, site):
    """Loads the packages in the way in which the engine will, in a process of its own."""
    code = f"import sys; sys.path.insert(0, {str(site)!r}); {proof}"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], stdin=subprocess.DEVNULL, capture_output=True)
    if run.returncode != 0:
        lines = run.stderr.decode(errors="replace").strip().splitlines()
        raise Failed("load", lines[-1] if lines else f"Python ended with {run.returncode}")


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def size(folder):
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                pass  # pip tidies up behind itself.
    return total


main()
