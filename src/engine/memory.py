"""How much memory there is. It lies beside the script that runs a server."""

import os


def memory():
    """The bytes of memory that this process may use: the machine's, or less where a container says so."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in control_files():
        try:
            with open(path) as file:
                limits.append(int(file.read()))
        except (OSError, ValueError):
            pass  # Not this version of control groups, or `max`.
    return min(limits)


def control_files():
    yield "/sys/fs/cgroup/memory.max"
    yield "/sys/fs/cgroup/memory/memory.limit_in_bytes"
    try:
        with open("/proc/self/cgroup") as file:
            groups = [line.strip().split(":", 2) for line in file]
    except OSError:
        return
    for _, controllers, path in groups:
        if controllers == "":
            yield f"/sys/fs/cgroup{path}/memory.max"
        elif controllers == "memory":
            yield f"/sys/fs/cgroup/memory{path}/memory.limit_in_bytes"
