"""Finds words that pipectl does not use, and names those that it uses instead.

    .ci/words                 fails with each new place, and where the list of old places is longer than it must be
    .ci/words --shrink        removes places that are gone from the list; never adds one
    .ci/words --admit ID      admits today's places of a pattern that has none in the list: one that was just written
    .ci/words --list [ID]     prints every old place, of all patterns or of one

The patterns are in `.ci/words.txt`. Text is comments, string literals and Markdown outside of code blocks; names are
identifiers and paths. A place in text is its pattern with three words on either side, as a hash, so that it survives moves
of files and line breaks, but not a change of its sentence. A name is listed once, so that code may go on to use it.
"""

from __future__ import annotations

import argparse
import bisect
import dataclasses
import hashlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = ROOT / ".ci" / "words.txt"
LEFT = ROOT / ".ci" / "words-left.txt"
# What is read: code whole, other files as text. Snapshots and generated files follow from what is read.
CODE = re.compile(r"^(src|tests|benches|fuzz|examples)/.*\.(rs|py)$|^\.ci/.*\.py$|^build\.rs$")
PROSE = re.compile(
    r"^src/.*\.md$|^docs/.*\.md$|^benches/.*\.md$|^[A-Z]+\.md$|^[^/]+\.toml$|^justfile$|^\.ci/[a-z]+$|^\.github/.*\.yml$"
)
GENERATED = re.compile(r"/generated/|^docs/reference\.md$")
# Words on either side that belong to a place.
NEAR = 3

RUST = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<text>b?c?r(?P<hashes>\#*)".*?"(?P=hashes)|b?c?"(?:\\.|[^"\\])*")
    |(?P<skipped>b?'(?:\\(?:x..|u\{[^}]*\}|.)|[^\\'\n])')
    |(?P<name>(?:r\#)?[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)
PYTHON = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<text>[rbfuRBFU]{0,2}(?:(?P<quotes>\"{3}|'{3})(?:\\.|.)*?(?P=quotes)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<skipped>\d\w*)
    |(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)
MARKER = re.compile(r"^[ \t]*(?://[/!]?|/\*+|\*/|\#!?)", re.MULTILINE)
# A name in backquotes, or an escape of a literal, is not a word of the sentence.
NO_WORD = re.compile(r"`[^`\s]+`|\\[nrt\"'\\]|\\\n")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclasses.dataclass(frozen=True)
class Pattern:
    """A line of the data file: what is not written, and what is written instead."""

    id: str
    kinds: frozenset[str]
    regex: re.Pattern[str]
    instead: str


@dataclasses.dataclass(frozen=True)
class Piece:
    """A run of words: a comment, a literal, a paragraph, or the words of a name."""

    kind: str
    text: str
    # Where each line begins in `text`, and which line of the file the first of them is.
    starts: tuple[int, ...]
    line: int

    def line_of(self, offset: int) -> int:
        return self.line + bisect.bisect_right(self.starts, offset) - 1


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a pattern matches."""

    path: str
    line: int
    phrase: str
    pattern: Pattern
    key: str

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: "{self.phrase}" -> write {self.pattern.instead}'


def read_patterns(text: str) -> list[Pattern]:
    """Reads `id [kind]: regex -> what to write`; `#` begins a comment."""
    patterns = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = re.fullmatch(r"([a-z-]+)(?: \[(text|names)\])?: (.+) -> (.+)", line)
        if not found:
            raise ValueError(f"line {number} is not `id [text|names]: regex -> instead`: {line}")
        kinds = frozenset([found[2]] if found[2] else ["text", "names"])
        patterns.append(Pattern(found[1], kinds, re.compile(rf"\b(?:{found[3]})\b", re.IGNORECASE), found[4]))
    twice = [name for name, count in Counter(pattern.id for pattern in patterns).items() if count > 1]
    if twice:
        raise ValueError(f"two patterns have the id {twice[0]}")
    return patterns


def piece(kind: str, raw: str, line: int) -> Piece:
    """Normalizes a text: one space between words, no marks of comments, no names in backquotes."""
    text, starts = "", []
    for part in NO_WORD.sub(lambda found: "\n" if "\n" in found[0] else " _ ", raw).split("\n"):
        starts.append(len(text))
        words = " ".join(part.split())
        text += words + " " if words else ""
    return Piece(kind, text, tuple(starts), line)


def pieces_of_code(text: str, tokens: re.Pattern[str], with_literals: bool) -> Iterator[Piece]:
    """The texts and names of a file of Rust or Python. Comments on consecutive lines are one text."""
    comment, end, line, counted = "", 0, 1, 0
    first = 1
    for token in tokens.finditer(text):
        kind = token.lastgroup if token.lastgroup not in ("hashes", "quotes") else "text"
        line += text.count("\n", counted, token.start())
        counted = token.start()
        between = text[end : token.start()]
        is_continued = kind == "comment" and comment and not between.strip() and between.count("\n") == 1
        if comment and not is_continued:
            yield piece("text", MARKER.sub("", comment), first)
            comment = ""
        if kind == "comment":
            first = first if is_continued else line
            comment = comment + between + token[0] if is_continued else token[0]
        elif kind == "name":
            yield Piece("names", token[0], (0,), line)
        elif kind == "text" and (with_literals or token[0].startswith('"""')):
            yield piece("text", token[0], line)
        end = token.end()
    if comment:
        yield piece("text", MARKER.sub("", comment), first)


def pieces_of_prose(text: str) -> Iterator[Piece]:
    """The paragraphs of a file, without code blocks."""
    paragraph, first, is_code = [], 1, False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        is_fence = line.lstrip().startswith("```")
        if is_fence or is_code or not line.strip():
            if paragraph:
                yield piece("text", MARKER.sub("", "\n".join(paragraph)), first)
            paragraph, is_code = [], is_code != is_fence
        else:
            first = first if paragraph else number
            paragraph.append(line)


def unreleased(text: str) -> str:
    """A changelog up to its first released section."""
    released = re.search(r"^## (?!.*unreleased).*$", text, re.MULTILINE | re.IGNORECASE)
    return text[: released.start()] if released else text


def pieces(path: str, text: str) -> Iterator[Piece]:
    """What is to be read of a file, its path first."""
    for part in Path(path).parts:
        yield Piece("names", part.split(".")[0], (0,), 1)
    if path.endswith((".rs", ".py")):
        # Literals of tests quote what pipectl prints.
        with_literals = not path.startswith("tests/")
        yield from pieces_of_code(text, RUST if path.endswith(".rs") else PYTHON, with_literals)
    else:
        yield from pieces_of_prose(unreleased(text) if path == "CHANGELOG.md" else text)


def places(path: str, text: str, patterns: list[Pattern]) -> Iterator[Place]:
    """Where patterns match in a file."""
    of_kind = {kind: [pattern for pattern in patterns if kind in pattern.kinds] for kind in ("text", "names")}
    any_of = {
        kind: re.compile("|".join(it.regex.pattern for it in found), re.IGNORECASE) for kind, found in of_kind.items()
    }
    seen = set()
    for it in pieces(path, text):
        is_name = it.kind == "names"
        if is_name and it.text in seen:
            continue
        words = " ".join(PART.findall(it.text)) if is_name else it.text
        if is_name:
            seen.add(it.text)
        if not of_kind[it.kind] or not any_of[it.kind].search(words):
            continue
        for pattern in of_kind[it.kind]:
            for found in pattern.regex.finditer(words):
                key = it.text if is_name else near(words, found)
                yield Place(path, it.line_of(found.start()), it.text if is_name else found[0], pattern, key)
                if is_name:
                    break


def near(text: str, found: re.Match[str]) -> str:
    """The hash of a match with the words near it."""
    before, after = text[max(0, found.start() - 200) : found.start()], text[found.end() : found.end() + 200]
    words = re.findall(r"\w+", before.lower())[-NEAR:] + [found[0].lower()] + re.findall(r"\w+", after.lower())[:NEAR]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:10]


def files() -> Iterator[tuple[str, str]]:
    """The paths and texts of the repository that are checked, committed or not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout
    for path in sorted(set(listed.split("\0"))):
        is_read = (CODE.match(path) or PROSE.match(path)) and not GENERATED.search(path)
        if is_read and (ROOT / path).is_file():
            yield path, (ROOT / path).read_text(encoding="utf-8")


def count(found: Iterable[Place]) -> Counter[tuple[str, str]]:
    """How often each place exists; a name counts once."""
    counts: Counter[tuple[str, str]] = Counter()
    for place in found:
        entry = (place.pattern.id, place.key)
        counts[entry] = 1 if place.key == place.phrase else counts[entry] + 1
    return counts


def read_left(text: str) -> Counter[tuple[str, str]]:
    """Reads the list of old places. A merge may leave an entry twice: the lower count holds."""
    left: Counter[tuple[str, str]] = Counter()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, key, *more = line.split()
            number = int(more[0]) if more else 1
            left[name, key] = min(left.get((name, key), number), number)
    return left


def write_left(left: Counter[tuple[str, str]]) -> str:
    head = "# The old places of `.ci/words`: pattern, name or hash, count. `.ci/words --shrink` removes lines, nothing adds any.\n"
    entries = sorted((name, key, number) for (name, key), number in left.items() if number > 0)
    return head + "".join(f"{name} {key}{f' {number}' if number > 1 else ''}\n" for name, key, number in entries)


def new_places(found: list[Place], left: Counter[tuple[str, str]]) -> list[Place]:
    """Places beyond those in the list, the last ones where a sentence exists more often than it did."""
    allowed, new = Counter(left), []
    names = set(left)
    for place in found:
        entry = (place.pattern.id, place.key)
        if place.key == place.phrase and entry in names:
            continue
        allowed[entry] -= 1
        if allowed[entry] < 0:
            new.append(place)
    return new


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--shrink", action="store_true", help="remove places that are gone from the list")
    action.add_argument("--admit", metavar="ID", action="append", help="admit the places of a new pattern")
    action.add_argument("--list", metavar="ID", nargs="?", const="", help="print the old places")
    options = parser.parse_args()
    patterns = read_patterns(PATTERNS.read_text(encoding="utf-8"))
    found = [place for path, text in files() for place in places(path, text, patterns)]
    left = read_left(LEFT.read_text(encoding="utf-8")) if LEFT.exists() else Counter()
    if options.list is not None:
        print(*(place for place in found if options.list in ("", place.pattern.id)), sep="\n")
        return
    now = count(found)
    for name in options.admit or []:
        if name not in {pattern.id for pattern in patterns}:
            sys.exit(f"no pattern has the id {name}")
        if any(listed == name for listed, _ in left):
            sys.exit(f"{name} has places in the list: rewrite the new ones")
        left |= Counter({entry: number for entry, number in now.items() if entry[0] == name})
    if options.admit or options.shrink:
        left &= now
        LEFT.write_text(write_left(left), encoding="utf-8")
    new, gone = new_places(found, left), left - now
    print(*new, sep="\n", end="\n" if new else "")
    print(f"{sum(left.values())} old places of {len({name for name, _ in left})} patterns, {len(new)} new")
    if gone:
        print(
            f"{sum(gone.values())} places of the list are gone: run `just words --shrink` and commit the shorter list"
        )
    sys.exit(1 if new or gone else 0)


if __name__ == "__main__":
    main()
