"""The private folder of an engine, which others find out to be used."""

from __future__ import annotations

import contextlib
import fcntl
import os


def hold(folder: str) -> None:
    """Keeps the folder for this process and those that it starts, until the last of them has ended.

    The next start of any engine removes folders that nobody holds: what used them was killed. Where there are no locks,
    nobody removes any.
    """
    with contextlib.suppress(OSError):
        lock = os.open(folder + "/lock", os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.set_inheritable(lock, True)
