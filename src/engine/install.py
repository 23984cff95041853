"""Puts an engine's packages into a folder that nobody else uses yet.

It is given one JSON argument, `folder`, `requirements` (wheels, in pip's format, with hashes), `archives` (source
distributions, of which nothing but some members is taken), `files` (written beside the packages), `proof` (a statement that
must run), and says what it does in lines of JSON on standard output. The last line is `done` or `failed`. When standard input
ends before, pipectl is gone, and this process group ends at once.
"""

import base64
import errno
import gzip
import hashlib
import html.parser
import http.client
import importlib.util
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib

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
# Of a large file, which is told in lines.
SECONDS_BETWEEN_LINES = 5
TIMEOUT_SECONDS = 60
# How often in a row a download that stops is taken up again where it was, and how long that waits at most.
RETRIES = 5
LONGEST_PAUSE = 8
# Says which files were unpacked from archives, with their sizes.
CONTENT = "content.json"


class Failed(Exception):
    def __init__(self, why, detail):
        super().__init__(detail)
        self.why = why
        self.detail = detail


def main():
    threading.Thread(target=end_with_pipectl, daemon=True).start()
    order = json.loads(sys.argv[1])
    try:
        if "reach" in order:
            # Nothing has this name; what counts is that an index answers.
            list(Index().links({"project": order["reach"], "name": ""}))
            say({"done": {"bytes": 0}})
        else:
            say({"done": {"bytes": install(order)}})
    except Failed as failure:
        say({"failed": {"why": failure.why, "detail": failure.detail}})
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "disk_full" if full else "download" if "reach" in order else "other"
        say({"failed": {"why": why, "detail": str(error)}})


def end_with_pipectl():
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def say(message):
    print(json.dumps(message), flush=True)


def install(order):
    folder = pathlib.Path(order["folder"])
    site = folder / "site"
    site.mkdir()
    if order["requirements"]:
        install_wheels(order["requirements"], site, folder / "downloads")
    if order["archives"]:
        content = {}
        for archive in order["archives"]:
            content.update(unpack(archive, site, Index()))
        (site / CONTENT).write_text(json.dumps(content))
    for name, content in order["files"].items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    prove(order["proof"], site)
    return size(folder)


def install_wheels(pinned, site, downloads):
    downloads.mkdir()
    requirements = downloads / "requirements.txt"
    requirements.write_text(pinned)

    download(requirements, downloads)
    hashes = set(re.findall(r"sha256:([0-9a-f]{64})", pinned))
    for wheel in sorted(downloads.glob("*.whl")):
        if sha256(wheel) not in hashes:
            raise Failed("hash", f"{wheel.name} has another hash than the one that is pinned")
        say({"unpacking": wheel.name})
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
            allow_programs(archive, site)
    for child in sorted(downloads.rglob("*"), reverse=True):
        child.rmdir() if child.is_dir() else child.unlink()
    downloads.rmdir()


def allow_programs(archive, site):
    """A wheel may bring programs; unpacking forgets that they may be run."""
    for member in archive.infolist():
        if (member.external_attr >> 16) & 0o111 and not member.is_dir():
            (site / member.filename).chmod(0o755)


def unpack(archive, site, index):
    """Takes the wanted members out of a source distribution while it arrives, so that it never lies on the disk.

    None of its code is run, which is why pip, which would, does not fetch it. Until its hash has been checked, at its end,
    nobody uses what was taken: the folder is nobody's yet.
    """
    name = archive["name"]
    body = Body(index, archive)
    content = {}
    try:
        # Read as a stream, in which the names come one after the other.
        with gzip.GzipFile(fileobj=body) as plain, tarfile.open(fileobj=plain, mode="r|") as members:
            for member in members:
                target = place(member, archive["members"])
                if target is None:
                    continue
                path = site / target
                path.parent.mkdir(parents=True, exist_ok=True)
                with open(path, "wb") as file, members.extractfile(member) as source:
                    while block := source.read(1 << 20):
                        file.write(block)
                content[target] = member.size
        body.drain()
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise Failed("hash", f"{name} is damaged, or not the archive that is pinned: {error}") from error
    if body.digest.hexdigest() != archive["sha256"]:
        raise Failed("hash", f"{name} has another hash than the one that is pinned")
    return content


def place(member, wanted):
    """Where a member goes: `wanted` holds files, and folders (with a slash at the end) whose own files are meant."""
    if not member.isfile():
        return None
    folder, slash, name = member.name.rpartition("/")
    for source, target in wanted:
        if member.name == source:
            return target
        if folder + slash == source and name not in ("", ".", ".."):
            return target + name
    return None


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
    archive = {"name": PIP, "project": "pip"}
    try:
        link = next(Index(configured=False).links(archive), None)
        if link is not None:
            opener, url = link
            with opener(url, {}) as answer:
                return answer.read()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Failed("download", f"{PIP}, which is needed since this Python has no pip: {error}") from error
    raise Failed("download", f"the index has no {PIP}, which is needed since this Python has no pip")


class Index:
    """Where packages are, and how to get there, by pip's settings."""

    def __init__(self, configured=True):
        settings = configuration() if configured else environment_settings()
        self.indexes = []
        if settings.get("no-index", "").lower() not in ("1", "true", "yes", "on"):
            self.indexes = [settings.get("index-url") or DEFAULT_INDEX, *settings.get("extra-index-url", "").split()]
        self.beside = settings.get("find-links", "").split()
        self.trusted = set(settings.get("trusted-host", "").split())
        self.timeout = float(settings.get("default-timeout") or settings.get("timeout") or TIMEOUT_SECONDS)
        self.proxies = {scheme: settings["proxy"] for scheme in ("http", "https")} if settings.get("proxy") else None
        self.certificates = settings.get("cert") or certificates_of_pip()
        self.client = settings.get("client-cert")
        self.retries = int(settings.get("retries") or RETRIES)

    def links(self, archive):
        """Where a file can be had: pairs of what opens it and its address. Raises where no index answers."""
        name = archive["name"]
        for place in self.beside:
            local = pathlib.Path(urllib.request.url2pathname(place.removeprefix("file://"))).expanduser()
            if "://" not in place.removeprefix("file://") and (local / name).is_file():
                yield self.open, (local / name).resolve().as_uri()
        failure = None
        pages = [f"{index.rstrip('/')}/{archive['project']}/" for index in self.indexes]
        for page in [place for place in self.beside if place.startswith("http")] + pages:
            try:
                with self.open(page, {"Accept": "text/html"}) as answer:
                    text, url = answer.read().decode("utf-8", "replace"), answer.url
            except (OSError, ValueError, http.client.HTTPException) as error:
                failure = failure or OSError(f"{address(page)}: {plain(error)}")
                continue
            links = Links()
            links.feed(text)
            for link in links.found:
                if urllib.parse.urlsplit(link).path.endswith("/" + name):
                    yield self.open, urllib.parse.urljoin(with_login(url, page), link)
        if failure is not None:
            raise failure

    def open(self, url, headers):
        parts = urllib.parse.urlsplit(url)
        request = urllib.request.Request(url, headers=headers)
        if parts.username is not None:
            # urllib does not read a name and a password out of an address.
            user = urllib.parse.unquote(parts.username) + ":" + urllib.parse.unquote(parts.password or "")
            host = parts.netloc.rpartition("@")[2]
            request = urllib.request.Request(urllib.parse.urlunsplit(parts._replace(netloc=host)), headers=headers)
            request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
        context = ssl.create_default_context(cafile=self.certificates)
        if self.client:
            context.load_cert_chain(self.client)
        if self.trusted & {parts.hostname, f"{parts.hostname}:{parts.port}"}:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(self.proxies), urllib.request.HTTPSHandler(context=context)
        )
        return opener.open(request, timeout=self.timeout)


def plain(error):
    """What the system says, without what urllib puts around it."""
    error = getattr(error, "reason", None) or error
    return getattr(error, "strerror", None) or str(error)


def address(url):
    """Without what is secret."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def with_login(url, asked):
    """An answer's address has lost the login with which it was asked for; what is beside it on that host needs it too."""
    parts, login = urllib.parse.urlsplit(url), urllib.parse.urlsplit(asked).netloc.rpartition("@")
    same = login[1] and parts.netloc == login[2]
    return urllib.parse.urlunsplit(parts._replace(netloc="".join(login))) if same else url


def configuration():
    """pip's own view of its settings: files and environment. What is meant for one command alone is not."""
    if importlib.util.find_spec("pip") is None:
        return environment_settings()
    command = [sys.executable, "-I", "-m", "pip", "config", "list", "--disable-pip-version-check"]
    output = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, cwd="/").stdout
    settings = {}
    for line in output.decode(errors="replace").splitlines():
        key, equals, value = line.partition("=")
        section, dot, name = key.rpartition(".")
        if equals and section in ("global", "download"):
            # As Python writes a text.
            settings[name] = value[1:-1].replace("\\n", " ")
    return {**settings, **environment_settings()}


def environment_settings():
    return {
        name.removeprefix("PIP_").lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name in PIP_SETTINGS_KEPT and value
    }


def certificates_of_pip():
    """Some Pythons know no certificates at all; pip brings its own."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return None
    try:
        from pip._vendor import certifi

        return certifi.where()
    except ImportError:
        return None


class Body:
    """A file's content as it arrives. Where the connection breaks, it goes on from there with another one."""

    def __init__(self, index, archive):
        self.name, self.bytes = archive["name"], archive["bytes"]
        self.digest = hashlib.sha256()
        self.got = 0
        self.retries = index.retries
        self.told = time.monotonic()
        self.answer = None
        try:
            link = next(index.links(archive), None)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Failed("download", f"{self.name}: {error}") from error
        if link is None:
            raise Failed("download", f"no index that pip is set to use has {self.name}")
        self.open, self.url = link

    def read(self, length=-1):
        if self.got == self.bytes:
            return b""
        length = 1 << 16 if length < 0 else length
        block = self.receive(min(length, self.bytes - self.got))
        self.digest.update(block)
        self.got += len(block)
        if time.monotonic() - self.told > SECONDS_BETWEEN_LINES:
            self.told = time.monotonic()
            say({"downloading": self.got})
        return block

    def receive(self, length):
        reason = None
        for attempt in range(self.retries + 1):
            if attempt > 0:
                time.sleep(min(2 ** (attempt - 1), LONGEST_PAUSE))
            try:
                if self.answer is None:
                    self.answer = self.go_on()
                block = self.answer.read(length)
                if block:
                    return block
                reason = f"the connection ended after {self.got} of {self.bytes} bytes"
            except urllib.error.HTTPError as error:
                reason = f"{address(self.url)}: HTTP {error.code}"
                if error.code < 500 and error.code not in (408, 429):
                    break
            except (OSError, http.client.HTTPException) as error:
                reason = plain(error)
            self.answer = None
        raise Failed("download", f"{self.name}: {reason}")

    def go_on(self):
        answer = self.open(self.url, {"Range": f"bytes={self.got}-"} if self.got else {})
        if self.got and getattr(answer, "status", None) != 206:
            # All of it, once more.
            left = self.got
            while left and (block := answer.read(min(left, 1 << 16))):
                left -= len(block)
        return answer

    def drain(self):
        while self.read(1 << 20):
            pass


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
