"""Takes files out of a source distribution while it is downloaded.

The connection may break at any byte: the download goes on from there.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import tarfile
import time
import urllib.error
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipectl_engine.failure import InstallError
from pipectl_engine.index import Answer, Index, address, plain
from pipectl_engine.messages import say

SECONDS_BETWEEN_PROGRESS = 0.2
LONGEST_PAUSE = 8


def unpack(archive: Mapping[str, Any], site: Path, index: Index) -> dict[str, int]:
    """Takes the wanted members out of a source distribution while it arrives, so that it never lies on the disk. Gives
    the sizes of what it has written, by their names.

    None of its code is run, which is why pip, which would, does not fetch it. Until its hash has been checked, at its
    end, nobody uses what was taken: the folder is nobody's yet.
    """
    name = archive["name"]
    body = Body(index, archive)
    content: dict[str, int] = {}
    try:
        # Read as a stream, in which the names come one after the other.
        with gzip.GzipFile(fileobj=body) as plain, tarfile.open(fileobj=plain, mode="r|") as members:
            for member in members:
                target = place(member, archive["members"])
                if target is None:
                    continue
                path = site / target
                path.parent.mkdir(parents=True, exist_ok=True)
                source = members.extractfile(member)
                if source is None:
                    continue
                with path.open("wb") as file, source:
                    while block := source.read(1 << 20):
                        file.write(block)
                content[target] = member.size
        body.drain()
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise InstallError("hash", f"{name} is damaged, or not the archive that is pinned: {error}") from error
    if body.digest.hexdigest() != archive["sha256"]:
        raise InstallError("hash", f"{name} has another hash than the one that is pinned")
    return content


def place(member: tarfile.TarInfo, wanted: Iterable[tuple[str, str]]) -> str | None:
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


class Body:
    """A file's content as it arrives. Where the connection breaks, it goes on from there with another one."""

    def __init__(self, index: Index, archive: Mapping[str, Any]) -> None:
        """Finds the file, whose `name` and `bytes` are known."""
        self.name, self.bytes = archive["name"], archive["bytes"]
        self.digest = hashlib.sha256()
        self.got = 0
        self.retries = index.retries
        self.told = time.monotonic()
        self.answer: Answer | None = None
        try:
            link = next(index.links(archive), None)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise InstallError("download", f"{self.name}: {error}") from error
        if link is None:
            raise InstallError("download", f"no index that pip is set to use has {self.name}")
        self.open, self.url = link

    def read(self, length: int = -1) -> bytes:
        """The next bytes, at most so many; none at the end."""
        if self.got == self.bytes:
            return b""
        length = 1 << 16 if length < 0 else length
        block = self.receive(min(length, self.bytes - self.got))
        self.digest.update(block)
        self.got += len(block)
        if time.monotonic() - self.told > SECONDS_BETWEEN_PROGRESS:
            self.told = time.monotonic()
            say({"downloading": self.got})
        return block

    def receive(self, length: int) -> bytes:
        """Some bytes from the connection, or from another one where it breaks."""
        reason = ""
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
        raise InstallError("download", f"{self.name}: {reason}")

    def go_on(self) -> Answer:
        """Connects where the file is to be read on."""
        answer = self.open(self.url, {"Range": f"bytes={self.got}-"} if self.got else {})
        if self.got and getattr(answer, "status", None) != 206:
            # All of it, once more.
            left = self.got
            while left and (block := answer.read(min(left, 1 << 16))):
                left -= len(block)
        return answer

    def drain(self) -> None:
        """Reads to the end."""
        while self.read(1 << 20):
            pass
