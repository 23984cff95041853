"""Holds a release build to its bars: the time of `validate`, the memory of a long result, the calls of a run.

    .ci/gate [--binary target/release/pipectl] [--rows 10000000] [--runs 11]

Builds what it needs from what `cargo build --release` and `cargo test` have compiled already. Ratios are of processor time,
each of the best of several runs that take turns, since other work on the machine adds to both. The exit code is 1 if a bar is
missed; the lines after the table name them.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
STEPS = [1_000, 10_000]
# `validate` of a file against draining its YAML events: the bar, which `release` misses by a tenth, and what fails.
MOST_RATIO = 2.5
WORST_RATIO = 3.5
# The peak memory of a long result, in MiB.
MOST_MEMORY = 100
# A binary above this is worth a look; nothing fails.
LARGE_MB = 40
# The test runner may print on the same line before it.
FIGURE = re.compile(r"figure: (.+): (\d+)$", re.MULTILINE)


@dataclasses.dataclass
class Figure:
    """A line of the table."""

    what: str
    value: str
    bar: str
    verdict: str

    @property
    def is_missed(self) -> bool:
        return self.verdict == "missed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--binary", type=Path, help="the program to measure; built with the profile `release` by default"
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the long result")
    parser.add_argument("--runs", type=int, default=11, help="runs of `validate` for each size")
    options = parser.parse_args()
    # Both at once, so that the dependencies of the second are those of the first.
    build = ["cargo", "build", "--release", "--locked", "--bins", "--package", "pipectl", "--package", "pipectl-drain"]
    subprocess.run(build, cwd=ROOT, check=True)
    binary = (options.binary or TARGET / "release" / "pipectl").resolve()
    figures = [*validate(binary, TARGET / "release" / "drain_events", options.runs), size(binary)]
    output, passed = serve(binary, options.rows)
    figures += counted(output, passed)
    print(table(figures))
    missed = [figure for figure in figures if figure.is_missed]
    for figure in missed:
        print(f"missed: {figure.what} {figure.value}, and the bar is {figure.bar}")
    if not passed:
        print(output)
        print("missed: see the failures of `cargo test --test it gate::` above")
    sys.exit(1 if missed or not passed else 0)


def validate(binary: Path, drain: Path, runs: int) -> list[Figure]:
    """`pipectl validate` against draining the events of the same file, each in a new process."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for steps in STEPS:
            path = Path(folder) / f"{steps}.yaml"
            with path.open("w") as file:
                generate = [sys.executable, ROOT / "benches" / "validate" / "generate.py", str(steps)]
                subprocess.run(generate, check=True, stdout=file)
            drained, validated = [], []
            for _ in range(runs):
                drained.append(processor_time([drain, path]))
                validated.append(processor_time([binary, "validate", path]))
            figures.append(ratio(steps, min(validated), min(drained)))
    return figures


def ratio(steps: int, validated: float, drained: float) -> Figure:
    value = validated / drained
    verdict = "met" if value <= MOST_RATIO else "over the bar" if value <= WORST_RATIO else "missed"
    times = f"{value:.2f} ({validated * 1_000:.0f} ÷ {drained * 1_000:.0f} ms)"
    return Figure(
        f"validate of {steps:,} steps ÷ draining", times, f"≤ {MOST_RATIO}, fails above {WORST_RATIO}", verdict
    )


def processor_time(command: list) -> float:
    """Seconds of a process that succeeds, its own and the kernel's for it."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            text = errors.read().decode(errors="replace")
            sys.exit(f"{command[0]}: exit code {process.returncode}\n{text[-2_000:]}")
    return usage.ru_utime + usage.ru_stime


def size(binary: Path) -> Figure:
    megabytes = binary.stat().st_size / 1e6
    verdict = "met" if megabytes <= LARGE_MB else "warning"
    return Figure("size of the binary, MB", f"{megabytes:.1f}", f"≤ {LARGE_MB}", verdict)


def serve(binary: Path, rows: int) -> tuple[str, bool]:
    """What the tests of `gate.rs` print, and whether they passed."""
    test = ["cargo", "test", "--quiet", "--locked", "--test", "it", "gate::", "--", "--nocapture", "--test-threads=1"]
    environment = os.environ | {"PIPECTL_GATE_BINARY": str(binary), "PIPECTL_GATE_ROWS": str(rows)}
    done = subprocess.run(test, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout, done.returncode == 0


def counted(output: str, passed: bool) -> list[Figure]:
    """The figures that the tests print. Calls are compared there, with all others of the run."""
    found = FIGURE.findall(output)
    for name in ("peak memory", "calls"):
        if passed and not any(what.startswith(name) for what, _ in found):
            sys.exit(f"the tests of `gate.rs` print no figure `{name}`:\n{output}")
    figures = []
    for what, value in found:
        is_memory = what.startswith("peak memory")
        is_met = int(value) <= MOST_MEMORY if is_memory else passed
        bar = f"≤ {MOST_MEMORY}" if is_memory else "as in `gate.rs`"
        figures.append(Figure(what, value, bar, "met" if is_met else "missed"))
    return figures


def table(figures: list[Figure]) -> str:
    rows = [("what", "figure", "bar", ""), *(dataclasses.astuple(figure) for figure in figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
