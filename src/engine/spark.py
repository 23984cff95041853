"""Becomes a Spark Connect server: `spark.py SITE FOLDER HEAP CLASSES JAVA ...`, where SITE is the folder with the jars, FOLDER
the private one, with the token, HEAP the limit in bytes, or 0 for a share of the memory, CLASSES an archive of classes, if there
is one, and the rest the command.

The server says `listening` with the port in a line of JSON, by the settings of its log; this script says `broken` where the jars
are not all there. A watch, left behind, ends the server when standard input ends, in case the process that should end it is gone.
"""

import json
import os
import select
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from memory import memory

SHARE_OF_MEMORY = 0.5


def main():
    site, folder, heap, classes, java, *rest = sys.argv[1:]
    sys.path.insert(0, site)
    try:
        import pipectl_content

        pipectl_content.check()
    except (ImportError, OSError, ValueError) as error:
        say({"broken": str(error)})
        return 1

    with open(os.path.join(folder, "token")) as file:
        # In the environment it is the owner's alone to see, and not among the settings that SQL can list.
        os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = file.read()
    megabytes = max((int(heap) or int(memory() * SHARE_OF_MEMORY)) >> 20, 512)
    sharing = [f"-XX:SharedArchiveFile={classes}"] if has_content(classes) else []
    leave_watch()
    try:
        os.execv(java, [java, f"-Xmx{megabytes}m", *sharing, *rest])
    except OSError as error:
        say({"broken": f"`{java}`: {error}"})
        return 1


def has_content(path):
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False


def leave_watch():
    server = os.getpid()
    alive, held = os.pipe()
    os.set_inheritable(held, True)  # By the server alone: it closes when that ends.
    if os.fork() != 0:
        os.close(alive)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        return
    # What else is open belongs to the server: whoever waits for its end must not wait for this process.
    os.dup2(alive, 3)
    os.closerange(4, 256)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    readable, _, _ = select.select([0, 3], [], [])
    if 3 not in readable:
        os.kill(server, signal.SIGKILL)
    os._exit(0)


def say(message):
    os.write(1, (json.dumps(message) + "\n").encode())


sys.exit(main())
