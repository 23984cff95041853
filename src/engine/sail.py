"""Runs a Sail server on a free loopback port: `sail.py SITE`, where SITE is the folder with its packages.

It says `listening` with the port, or `broken` where the packages cannot be loaded, in a line of JSON. It ends by itself when
standard input ends, in case the process that should end it is gone.
"""

import json
import os
import select
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from memory import memory

SHARE_OF_MEMORY = 0.6
MEMORY = "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE"


def main():
    sys.path.insert(0, sys.argv[1])
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


def say(message):
    os.write(1, (json.dumps(message) + "\n").encode())


sys.exit(main())
