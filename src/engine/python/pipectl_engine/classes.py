"""Makes the archive of loaded classes with which Java starts a server in half the time: it runs one until it is ready.

It is given one JSON argument: `folder` (private, removed at the end), `command` (but for the option that makes the
archive), `program` (Java), `environment` (added), `dropped` (prefixes of variables that are taken away), `archive`
(the file), and `prepares` (whether this Java, which is pipectl's own, lacks the archive of its own classes, on which
the other builds). Where Java cannot do it, an empty file says that it need not be tried again. When standard input
ends, pipectl is gone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

from pipectl_engine.environment import environment_of_engine
from pipectl_engine.messages import when_pipectl_is_gone
from pipectl_engine.private import hold

LIMIT_SECONDS = 180


def main(arguments: list[str]) -> int:
    """Makes the archive; what goes wrong leaves none."""
    order = json.loads(arguments[0])
    hold(order["folder"])
    archive = Path(order["archive"])
    new = archive.with_name(f"{archive.name}.{os.getpid()}")
    running: list[subprocess.Popen[bytes]] = []

    def end() -> None:
        for server in running:
            server.kill()
        tidy(order["folder"], new)
        os._exit(1)

    when_pipectl_is_gone(end)
    try:
        if order["prepares"]:
            quiet = subprocess.DEVNULL
            subprocess.run([order["program"], "-Xshare:dump"], stdin=quiet, stdout=quiet, stderr=quiet)
        make(order, archive, new, running)
    finally:
        tidy(order["folder"], new)
    # The timer must not be waited for.
    os._exit(0)


def make(order: dict[str, Any], archive: Path, new: Path, running: list[subprocess.Popen[bytes]]) -> None:
    """Runs a server until it says that it listens, and ends it, which is when Java writes the archive."""
    server = subprocess.Popen(
        [order["program"], f"-XX:ArchiveClassesAtExit={new}", *order["command"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment_of_engine(order["environment"], order["dropped"]),
        cwd=order["folder"],
    )
    assert server.stdout is not None
    running.append(server)
    threading.Timer(LIMIT_SECONDS, server.kill).start()
    is_ready = any(b"listening" in line for line in server.stdout)
    # Ended by this signal it does what is left to do, the archive too.
    server.terminate()
    server.stdout.read()
    server.wait()
    if is_ready:
        new.touch()
        new.replace(archive)


def tidy(folder: str, new: Path) -> None:
    """Removes what is in the making."""
    new.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
