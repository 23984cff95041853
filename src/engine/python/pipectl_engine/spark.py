"""Becomes a Spark Connect server: `PACKAGES FOLDER HEAP CLASSES JAVA ...`, where PACKAGES says where the jars are,
FOLDER is the private one, with the token, HEAP the limit in bytes, or 0 for a share of the memory, CLASSES an archive
of classes, if there is one, and the rest the command.

The server says `listening` with the port in a line of JSON, by the settings of its log; this program says `broken`
where the jars are not all there. A watch, left behind, ends the server when standard input ends, in case the process
that should end it is gone.
"""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from pipectl_engine.content import check
from pipectl_engine.memory import memory
from pipectl_engine.messages import let_go, say
from pipectl_engine.packages import Packages

SHARE_OF_MEMORY = 0.5


def main(arguments: list[str]) -> int:
    """Executes Java; comes back only where that fails."""
    packages, folder, heap, classes, java, *rest = arguments
    try:
        check(Path(Packages.parse(packages).site))
    except ImportError as error:
        say({"broken": str(error)})
        return 1

    # In the environment it is the owner's alone to see, and not among the settings that SQL can list.
    os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = Path(folder, "token").read_text()
    megabytes = megabytes_of_heap(int(heap), memory())
    sharing = [f"-XX:SharedArchiveFile={classes}"] if has_content(Path(classes)) else []
    leave_watch()
    try:
        os.execv(java, [java, f"-Xmx{megabytes}m", *sharing, *rest])
    except OSError as error:
        say({"broken": f"`{java}`: {error}"})
        return 1


def megabytes_of_heap(wanted: int, there: int) -> int:
    """What is wanted, or a share of what is there, but never less than Spark needs."""
    return max((wanted or int(there * SHARE_OF_MEMORY)) >> 20, 512)


def has_content(path: Path) -> bool:
    """Whether there is such an archive: an empty one says that this Java can make none."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def leave_watch() -> None:
    """Forks a process that ends this one when standard input ends, and itself when this one has."""
    server = os.getpid()
    alive, held = os.pipe()
    os.set_inheritable(held, True)  # By the server alone: it closes when that ends.
    if os.fork() != 0:
        os.close(alive)
        let_go(0)
        return
    # What else is open belongs to the server: whoever waits for its end must not wait for this process.
    os.dup2(alive, 3)
    os.closerange(4, 256)
    let_go(1, 2)
    readable, _, _ = select.select([0, 3], [], [])
    if 3 not in readable:
        os.kill(server, signal.SIGKILL)
    os._exit(0)
