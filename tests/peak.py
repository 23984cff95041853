"""Runs a command and prints the most memory that it had at once, in KiB: `peak.py COMMAND [ARGUMENT ...]`.

The exit code is the command's. The kernel counts what the command's process shares with this one before it starts, so a
figure below that of an empty Python is not possible.
"""

import os
import subprocess
import sys


def main() -> None:
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # macOS counts bytes.
    print(usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss)
    sys.exit(process.returncode if process.returncode >= 0 else 128 - process.returncode)


if __name__ == "__main__":
    main()
