"""Holds an engine for one run, and ends it, and its folder, when standard input ends.

pipectl holds the other end of standard input and never writes. However pipectl ends, the kernel closes that end, so no
engine outlives it. It is given one JSON argument: `folder` (private to this run, removed at the end), `command`, `environment`
(added) and `dropped` (prefixes of variables that are taken away). It says `ended` in a line of JSON when the engine has ended;
the engine says the rest.
"""

import json
import os
import select
import signal
import sys


def main():
    # A service manager signals every process of a group at once. pipectl decides what happens then; the engine must go on
    # answering it, and inherits this.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    order = json.loads(sys.argv[1])
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
    say({"ended": {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else {"code": os.WEXITSTATUS(status)}})

    # The reader of the last lines need not wait until the folder is gone.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    remove(order["folder"])


def become_engine(order, held):
    """Executes the engine's program: on macOS a forked process may not use the system's frameworks before it does."""
    try:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(tuple(order["dropped"]))
        }
        environment.update(order["environment"])
        os.set_inheritable(held, True)
        os.chdir(os.path.join(order["folder"], "work"))
        os.execve(order["command"][0], order["command"], environment)
    except BaseException as error:
        os.write(2, f"{error}\n".encode())
    finally:
        os._exit(127)


def say(message):
    try:
        os.write(1, (json.dumps(message) + "\n").encode())
    except OSError:
        pass  # Nobody listens any more.


def remove(folder):
    import shutil  # Slow to import, and only needed now.

    shutil.rmtree(folder, ignore_errors=True)


main()
