"""Puts an engine's packages into a folder that nobody else uses yet.

It is given one JSON argument, `folder`, `requirements` (wheels, in pip's format, with hashes), `archives` (source
distributions, of which nothing but some members is taken), `files` (written beside the packages), and says what it
does in lines of JSON on standard output. The last line is `done` or `failed`. When standard input ends before, pipectl
is gone, and this process group ends at once. With `reach` alone, the name of a project, it only asks whether an index
answers.
"""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

from pipectl_engine import content
from pipectl_engine.archive import unpack
from pipectl_engine.failure import InstallError
from pipectl_engine.index import Index
from pipectl_engine.messages import say, when_pipectl_is_gone
from pipectl_engine.wheels import install_wheels


def main(arguments: list[str]) -> int:
    """Does what is ordered; that it failed is said, and no exit code."""
    when_pipectl_is_gone(lambda: os.killpg(0, signal.SIGKILL))
    order = json.loads(arguments[0])
    try:
        if "reach" in order:
            # Nothing has this name; what counts is that an index answers.
            list(Index().links({"project": order["reach"], "name": ""}))
            say({"done": {"bytes": 0}})
        else:
            say({"done": {"bytes": install(order)}})
    except InstallError as failure:
        say({"failed": {"why": failure.why, "detail": failure.detail}})
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "disk_full" if full else "download" if "reach" in order else "other"
        say({"failed": {"why": why, "detail": str(error)}})
    return 0


def install(order: dict[str, Any]) -> int:
    """Fills the folder; gives its size in bytes."""
    folder = Path(order["folder"])
    site = folder / "site"
    site.mkdir()
    if order["requirements"]:
        install_wheels(order["requirements"], site, folder / "downloads")
    if order["archives"]:
        unpacked: dict[str, int] = {}
        for archive in order["archives"]:
            unpacked.update(unpack(archive, site, Index()))
        content.record(site, unpacked)
    for name, text in order["files"].items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return content.size(folder)
