"""Writes the notices of the crates that are in the program: which they are, and the texts of their licences.

Reads what cargo downloaded, and asks nothing of the network. Usage: python3 .ci/notices.py TARGET FILE
"""

import json
import subprocess
import sys
from pathlib import Path

# How the files of a package begin that say what whoever passes it on must pass on too.
NAMES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")


def metadata(target):
    """Returns what cargo knows of the packages for one target, as they are locked."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def linked(graph):
    """Returns the packages that the program is made of, without those that only build or test it."""
    packages = {package["id"]: package for package in graph["packages"]}
    nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
    root = graph["resolve"]["root"]
    found, left = {root}, [root]
    while left:
        for dependency in nodes[left.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if normal and dependency["pkg"] not in found:
                found.add(dependency["pkg"])
                left.append(dependency["pkg"])
    found.remove(root)
    return sorted((packages[found] for found in found), key=lambda package: (package["name"], package["version"]))


def texts(package):
    """Returns the texts of one package that must go with it, those of what it contains too, such as zstd's in C."""
    folder = Path(package["manifest_path"]).parent
    files = (file for file in folder.rglob("*") if file.is_file() and file.name.upper().startswith(NAMES))
    for file in sorted(files):
        text = file.read_text(encoding="utf-8", errors="replace").strip()
        yield "\n".join(line.rstrip() for line in text.splitlines())


def notices(packages):
    """Returns the whole file, each text once, below the packages that bring it."""
    title = "pipectl contains the following packages from crates.io, each under the licence that stands beside it."
    parts = [title, ""]
    users = {}
    for package in packages:
        name = f"{package['name']} {package['version']}"
        parts.append(f"- {name}: {package['license']}")
        found = list(texts(package))
        if not found:
            authors = ", ".join(package["authors"]) or "its authors"
            parts.append(f"  (its package has no text of the licence; by {authors}, {package['repository']})")
        for text in found:
            users.setdefault(text, []).append(name)
    for text, names in sorted(users.items(), key=lambda item: item[1]):
        parts += ["", "-" * 100, f"Of {', '.join(dict.fromkeys(names))}:", "", text]
    return "\n".join(parts) + "\n"


def main():
    """Writes the file and says what is in it."""
    target, file = sys.argv[1:]
    packages = linked(metadata(target))
    text = notices(packages)
    Path(file).write_text(text, encoding="utf-8")
    print(f"{file}: {len(packages)} packages, {len(text.encode()) // 1000} kB")


if __name__ == "__main__":
    main()
