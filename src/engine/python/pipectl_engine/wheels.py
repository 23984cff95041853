"""Installs wheels: pip downloads them, and what has a pinned hash is unpacked."""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from pipectl_engine.content import size
from pipectl_engine.failure import InstallError
from pipectl_engine.index import PIP_SETTINGS_KEPT, Index
from pipectl_engine.messages import say

# Used where Python comes without pip, as Debian's does: Python runs the wheel as it is.
PIP = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
SECONDS_BETWEEN_PROGRESS = 0.2
LONGEST_LINE = 300


def install_wheels(pinned: str, site: Path, downloads: Path) -> None:
    """Downloads the wheels, looks at their hashes, and unpacks them."""
    downloads.mkdir()
    requirements = downloads / "requirements.txt"
    requirements.write_text(pinned)

    download(requirements, downloads)
    found = sorted(downloads.glob("*.whl"))
    say({"downloading": sum(wheel.stat().st_size for wheel in found)})
    hashes = set(re.findall(r"sha256:([0-9a-f]{64})", pinned))
    for wheel in found:
        if sha256(wheel) not in hashes:
            raise InstallError("hash", f"{wheel.name} has another hash than the one that is pinned")
        say({"unpacking": wheel.name})
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
            allow_programs(archive, site)
    for child in sorted(downloads.rglob("*"), reverse=True):
        child.rmdir() if child.is_dir() else child.unlink()
    downloads.rmdir()


def allow_programs(archive: zipfile.ZipFile, site: Path) -> None:
    """A wheel may bring programs; unpacking forgets that they may be run."""
    for member in archive.infolist():
        if (member.external_attr >> 16) & 0o111 and not member.is_dir():
            (site / member.filename).chmod(0o755)


def download(requirements: Path, downloads: Path) -> None:
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
    with log.open("wb") as output:
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


def pip(downloads: Path) -> list[str]:
    """What runs pip: the installed module, else the wheel that Python brings along, else one from the index."""
    if importlib.util.find_spec("pip") is not None:
        return ["-m", "pip"]
    bundled = importlib.util.find_spec("ensurepip")
    if bundled is not None and bundled.origin is not None:
        for wheel in Path(bundled.origin).parent.glob("_bundled/pip-*.whl"):
            return [str(wheel / "pip")]
    say({"fetching_pip": PIP})
    wheel = downloads / "pip" / PIP
    wheel.parent.mkdir()
    wheel.write_bytes(fetch_pip())
    if sha256(wheel) != PIP_SHA256:
        raise InstallError("hash", f"{PIP} has another hash than the one that is pinned")
    return [str(wheel / "pip")]


def fetch_pip() -> bytes:
    """Downloads the pinned pip from an index."""
    archive = {"name": PIP, "project": "pip"}
    try:
        link = next(Index(configured=False).links(archive), None)
        if link is not None:
            opener, url = link
            with opener(url, {}) as answer:
                return answer.read()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise InstallError("download", f"{PIP}, which is needed since this Python has no pip: {error}") from error
    raise InstallError("download", f"the index has no {PIP}, which is needed since this Python has no pip")


def pip_failure(log: str) -> InstallError:
    """Why pip did not succeed, by what it has written."""
    lines = [line.strip() for line in log.splitlines() if line.strip()] or ["pip says nothing"]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    # pip goes on without an index that it cannot reach, and ends with "no matching distribution".
    unreachable = [line for line in lines if "Retrying" in line or "onnection" in line]
    if "No space left on device" in log or "Disk quota exceeded" in log:
        return InstallError("disk_full", errors[-1])
    if "DO NOT MATCH THE HASHES" in log:
        return InstallError("hash", "pip found a package with another hash than the one that is pinned")
    if unreachable:
        return InstallError("download", sentence(unreachable[-1]))
    if "No matching distribution found" in log:
        return InstallError("no_wheel", sentence(errors[-1]))
    return InstallError("download", sentence(errors[-1]))


def sentence(line: str) -> str:
    """A line of pip's without its level, and not too long."""
    for level in ("ERROR: ", "WARNING: "):
        line = line.removeprefix(level)
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "..."


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
