"""How much memory there is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def memory(root: Path = Path("/")) -> int:
    """The bytes of memory that this process may use: the machine's, or less where a container says so."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in control_files(root):
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):
            continue  # Not this version of control groups, or `max`.
    return min(limits)


def control_files(root: Path) -> Iterator[Path]:
    """The files that may hold a limit, in both versions of control groups."""
    groups = root / "sys/fs/cgroup"
    yield groups / "memory.max"
    yield groups / "memory/memory.limit_in_bytes"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield groups / path.lstrip("/") / "memory.max"
        elif controllers == "memory":
            yield groups / "memory" / path.lstrip("/") / "memory.limit_in_bytes"
