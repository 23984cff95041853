"""Ends a warm engine that tests share when its last user is gone, however that ended: given one JSON argument, it runs beside them.

Each user holds a lock on `lease` together with the others, and so nobody does when the last one's process has ended. Whoever
starts the engine, or ends it, holds `start` alone. `watch` is held for as long as this runs, so that there is one of it.
"""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

# The next test of a process may want the engine that the last one has just let go.
GRACE_SECONDS = 8


def main():
    os.setsid()
    order = json.loads(sys.argv[1])
    start, lease, watch = (Path(order[name]) for name in ("start", "lease", "watch"))
    with watch.open("a") as watched:
        while is_locked(watched):
            with lease.open("a") as leased:
                fcntl.flock(leased, fcntl.LOCK_EX)
            time.sleep(GRACE_SECONDS)
            with start.open("a") as started, lease.open("a") as leased:
                fcntl.flock(started, fcntl.LOCK_EX)
                if is_locked(leased):
                    subprocess.run(order["stop"], env={**os.environ, **order["environment"]}, check=False)
                    # Whoever is next finds no engine, and nobody who watches it.
                    watched.close()
                    return


def is_locked(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


main()
