"""Holds an engine for one run, and ends it, and its folder, when standard input ends.

pipectl holds the other end of standard input and never writes. However pipectl ends, the kernel closes that end, so no
engine outlives it. It is given one JSON argument: `folder` (private to this run, removed at the end), `command`,
`environment` (added) and `dropped` (prefixes of variables that are taken away). It says `ended` in a line of JSON when
the engine has ended; the engine says the rest.
"""

from __future__ import annotations

import json
import os
import select
import signal
from typing import Any

from pipectl_engine.environment import environment_of_engine
from pipectl_engine.messages import let_go, say
from pipectl_engine.private import hold


def main(arguments: list[str]) -> int:
    """Runs the engine until it ends, or until pipectl has."""
    # A service manager signals every process of a group at once. pipectl decides what happens then; the engine must go
    # on answering it, and inherits this.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    order = json.loads(arguments[0])
    hold(order["folder"])
    os.chdir("/")

    # The engine holds the writing end as long as it lives, so its end can be awaited together with pipectl's.
    alive, held = os.pipe()
    engine = os.fork()
    if engine == 0:
        become_engine(order, held)
    os.close(held)

    readable, _, _ = select.select([0, alive], [], [])
    if alive not in readable:
        os.kill(engine, signal.SIGKILL)
    _, status, _ = os.wait4(engine, 0)
    say({"ended": ending(status)})

    # The reader of the last lines need not wait until the folder is gone.
    let_go(1, 2)
    import shutil  # Slow to import, and only needed now.

    shutil.rmtree(order["folder"], ignore_errors=True)
    return 0


def become_engine(order: dict[str, Any], held: int) -> None:
    """Executes the engine's program: on macOS a forked process may not use the system's frameworks before it does."""
    try:
        environment = environment_of_engine(order["environment"], order["dropped"])
        os.set_inheritable(held, True)
        os.chdir(order["folder"] + "/work")
        os.execve(order["command"][0], order["command"], environment)
    except BaseException as error:
        os.write(2, f"{error}\n".encode())
    finally:
        os._exit(127)


def ending(status: int) -> dict[str, int]:
    """How a process ended, by what `wait` says of it."""
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    return {"code": os.WEXITSTATUS(status)}
