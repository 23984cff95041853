"""Says what this interpreter is, as one line of JSON. Runs on any Python 3, however old."""

import json
import platform
import sys
import sysconfig


def main(arguments: list) -> int:
    """Prints the description."""
    description = {
        # A virtual environment may be deleted any day; the interpreter behind it stays.
        "executable": getattr(sys, "_base_executable", None) or sys.executable,
        "version": list(sys.version_info[:3]),
        "implementation": platform.python_implementation(),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "platform": sysconfig.get_platform(),
    }
    print(json.dumps(description))
    return 0
