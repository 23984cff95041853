"""Says whether the files are there that were unpacked beside this one: each by its name and its size."""

import json
import os

FOLDER = os.path.dirname(os.path.abspath(__file__))


def check():
    with open(os.path.join(FOLDER, "content.json")) as file:
        content = json.load(file)
    for name, size in content.items():
        try:
            found = os.stat(os.path.join(FOLDER, name)).st_size
        except OSError:
            raise ImportError(f"`{name}` is missing") from None
        if found != size:
            raise ImportError(f"`{name}` has {found} bytes and not {size}")
