"""The packages of an engine, and how they are imported without anything else that is installed.

Interpreters are started without the packages that are installed for them (`-I -S`), so these are the only ones. A
folder of pipectl's own is searched as it is. In a user's environment, where other packages are too, only those that
are named are found, and a module stands in for each whose version alone is asked for, whatever is installed under that
name.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder


class Packages:
    """Where packages are, and which of them count."""

    def __init__(self, site: str, only: Sequence[str] = (), versions: Mapping[str, str] | None = None) -> None:
        """Takes their folder, the only ones that are found (all where none is named), and the versions of modules that
        are stood in for, by their names.
        """
        self.site = site
        self.only = only
        self.versions = versions or {}

    @classmethod
    def parse(cls, text: str) -> Packages:
        """Reads what pipectl has written as JSON."""
        return cls(**json.loads(text))

    def enter(self) -> None:
        """Lets this process import them."""
        for name, version in self.versions.items():
            module = types.ModuleType(name)
            module.__path__ = []
            module.__dict__["__version__"] = version
            sys.modules[name] = module
        if self.only:
            sys.meta_path.append(Finder(self.site, self.only))
        else:
            sys.path.insert(0, self.site)


class Finder:
    """Finds some packages of a folder, and no others."""

    def __init__(self, site: str, only: Sequence[str]) -> None:
        self.site = site
        self.only = only

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """A module within a package is found by that package's own path."""
        return PathFinder.find_spec(name, [self.site]) if path is None and name in self.only else None
