"""Runs a Sail server on a free loopback port, given its packages as JSON.

It says `listening` with the port, or `broken` where the packages cannot be loaded, in a line of JSON. It ends by
itself when standard input ends, in case the process that should end it is gone.
"""

from __future__ import annotations

import os
import select

from pipectl_engine.memory import memory
from pipectl_engine.messages import say
from pipectl_engine.packages import Packages

SHARE_OF_MEMORY = 0.6
MEMORY = "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE"


def main(arguments: list[str]) -> int:
    """Serves until it is told to end."""
    Packages.parse(arguments[0]).enter()
    # Sail reads its settings when it is loaded.
    os.environ.setdefault(MEMORY, str(int(memory() * SHARE_OF_MEMORY)))
    try:
        from pysail.spark import SparkConnectServer
    except ImportError as error:
        say({"broken": str(error)})
        return 1

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    say({"listening": server.listening_address[1]})
    while server.running:
        readable, _, _ = select.select([0], [], [], 1.0)
        if readable:
            os._exit(0)
    return 1
