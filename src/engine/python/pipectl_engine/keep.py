"""Holds an engine until it is told to stop: it does for the launcher what pipectl does during a run.

It is given one JSON argument: `command` (the launcher's), `control` (a named pipe to make, where any byte means stop)
and `record` (the file that says where the engine is, removed at the end). Until pipectl writes to standard input that
the engine is to be kept, the end of that input ends it, and what the engine says is passed on; from then on this
process belongs to nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
from pathlib import Path

from pipectl_engine.messages import let_go

BYTES_OF_LOG = 1 << 20


def main(arguments: list[str]) -> int:
    """Runs the launcher until it ends, or until it is told to."""
    # The terminal's end, and its interrupts, are not for this session.
    os.setsid()
    order = json.loads(arguments[0])
    os.mkfifo(order["control"], 0o600)
    # Open for writing too, so that it never ends.
    control = os.open(order["control"], os.O_RDWR | os.O_NONBLOCK)
    log = os.open(order["control"] + ".log", os.O_WRONLY | os.O_CREAT, 0o600)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.write(control, b"."))
    launcher = subprocess.Popen(order["command"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert launcher.stdin is not None and launcher.stdout is not None and launcher.stderr is not None

    passed_on = {launcher.stdout.fileno(): 1, launcher.stderr.fileno(): 2}
    heard = {0, control, *passed_on}
    room = BYTES_OF_LOG
    # The launcher lets go of its output when the engine has ended.
    while heard & set(passed_on):
        readable, _, _ = select.select(list(heard), [], [])
        if control in readable:
            break
        if 0 in readable:
            if not os.read(0, 100):
                break
            heard.remove(0)
            let_go(0, 1, 2)
        for source in set(passed_on) & set(readable):
            block = os.read(source, 1 << 16)
            if not block:
                heard.remove(source)
            pass_on(passed_on[source], block)
            if source == launcher.stderr.fileno():
                os.write(log, block[:room])
                room -= len(block[:room])
    launcher.stdin.close()
    for source, target in passed_on.items():
        while block := os.read(source, 1 << 16):
            pass_on(target, block)
    remove(Path(order["record"]))
    launcher.wait()
    return 0


def pass_on(target: int, block: bytes) -> None:
    """Writes what the launcher has said; perhaps nobody listens any more."""
    with contextlib.suppress(OSError):
        os.write(target, block)


def remove(record: Path) -> None:
    """Removes the file only where it is its own: another engine may have been started where this one was thought
    dead."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        if json.loads(record.read_text())["pid"] == os.getpid():
            record.unlink()
