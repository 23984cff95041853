"""What is in a folder: how much, and whether the files are still there that were unpacked, each by its name and its
size."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE = "content.json"


def record(site: Path, content: Mapping[str, int]) -> None:
    """Writes the sizes of files by their names, relative to the folder."""
    (site / FILE).write_text(json.dumps(content))


def check(site: Path) -> None:
    """Raises `ImportError` where a file is missing or has another size."""
    try:
        content = json.loads((site / FILE).read_text())
    except (OSError, ValueError) as error:
        raise ImportError(f"`{FILE}`: {error}") from error
    for name, size in content.items():
        try:
            found = (site / name).stat().st_size
        except OSError:
            raise ImportError(f"`{name}` is missing") from None
        if found != size:
            raise ImportError(f"`{name}` has {found} bytes and not {size}")


def size(folder: Path) -> int:
    """The bytes of all files below a folder, which may be changing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += Path(parent, name).lstat().st_size
    return total
