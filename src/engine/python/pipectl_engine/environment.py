"""The environment of an engine: the user's, without what could change what the engine does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping


def environment_of_engine(added: Mapping[str, str], dropped: Iterable[str]) -> dict[str, str]:
    """The variables of this process, without those whose names begin as one of `dropped`, and with those of `added`."""
    prefixes = tuple(dropped)
    return {**{name: value for name, value in os.environ.items() if not name.startswith(prefixes)}, **added}
