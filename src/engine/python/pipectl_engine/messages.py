"""How these programs speak with pipectl: lines of JSON on standard output, and the end of standard input."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from typing import Any


def say(message: dict[str, Any]) -> None:
    """Writes a message as one line, in one piece. Where nobody listens any more, it is lost."""
    try:
        os.write(1, (json.dumps(message) + "\n").encode())
    except OSError:
        return


def when_pipectl_is_gone(act: Callable[[], None]) -> None:
    """Calls a function, in a thread of its own, when standard input ends: pipectl holds its other end and never
    writes."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        act()

    threading.Thread(target=wait, daemon=True).start()


def let_go(*descriptors: int) -> None:
    """Connects descriptors with nothing, so that whoever waits for their end need not wait for this process."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
