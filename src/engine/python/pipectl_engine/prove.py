"""Shows that an engine's packages can be loaded, as its server will load them, in a process of its own.

It is given the packages as JSON, and a Python statement that fails where something is wrong; `check` is there for it,
which looks at what was unpacked from archives.
"""

from __future__ import annotations

from pathlib import Path

from pipectl_engine.content import check
from pipectl_engine.packages import Packages


def main(arguments: list[str]) -> int:
    """Executes the statement."""
    packages = Packages.parse(arguments[0])
    packages.enter()
    exec(arguments[1], {"check": lambda: check(Path(packages.site))})
    return 0
