"""Makes the archive of loaded classes with which Java starts a server in half the time: it runs one until it is ready.

It is given one JSON argument: `folder` (private, removed at the end), `command` (but for the option that makes the archive),
`program` (Java), `environment` (added), `dropped` (prefixes of variables that are taken away), `archive` (the file), and
`prepares` (whether this Java, which is pipectl's own, lacks the archive of its own classes, on which the other builds). Where
Java cannot do it, an empty file says that it need not be tried again. When standard input ends, pipectl is gone.
"""

import json
import os
import shutil
import subprocess
import sys
import threading

LIMIT_SECONDS = 180


def main():
    order = json.loads(sys.argv[1])
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(tuple(order["dropped"]))
    }
    environment.update(order["environment"])
    new = f"{order['archive']}.{os.getpid()}"
    running = []
    threading.Thread(target=end_with_pipectl, args=(order, new, running), daemon=True).start()
    try:
        if order["prepares"]:
            quiet = subprocess.DEVNULL
            subprocess.run([order["program"], "-Xshare:dump"], stdin=quiet, stdout=quiet, stderr=quiet)
        server = subprocess.Popen(
            [order["program"], f"-XX:ArchiveClassesAtExit={new}", *order["command"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=order["folder"],
        )
        running.append(server)
        threading.Timer(LIMIT_SECONDS, server.kill).start()
        is_ready = any(b"listening" in line for line in server.stdout)
        # Ended by this signal it does what is left to do, the archive too.
        server.terminate()
        server.stdout.read()
        server.wait()
        if is_ready:
            if not os.path.exists(new):
                open(new, "wb").close()
            os.replace(new, order["archive"])
    finally:
        tidy(order, new)
    # The timer must not be waited for.
    os._exit(0)


def end_with_pipectl(order, new, running):
    while os.read(0, 1024):
        pass
    for server in running:
        server.kill()
    tidy(order, new)
    os._exit(1)


def tidy(order, new):
    if os.path.exists(new):
        os.unlink(new)
    shutil.rmtree(order["folder"], ignore_errors=True)


main()
