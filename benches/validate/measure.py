"""Measures `pipectl validate` in new processes against draining the same file's YAML events.

    cargo build --profile dist --locked --bins --package pipectl --package pipectl-drain
    python3 benches/validate/measure.py [BINARY ...] [--runs 9] [--check]

Prints, for each size and each binary, the medians in milliseconds and their ratio. Whoever is measured takes turns, so
that what else runs on the machine meets all of them. With several binaries, the last column compares each with the first:
the median of the ratios of the runs that followed each other.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target"))
DIST = TARGET / "dist"
SIZES = [1_000, 3_000, 10_000]
# The bar of the ratio.
MOST = 2.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries", nargs="*", type=pathlib.Path, default=[DIST / "pipectl"], metavar="BINARY")
    parser.add_argument("--drain", type=pathlib.Path, default=DIST / "drain_events", help="what drains")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--check", action="store_true", help=f"fail if a ratio is above {MOST}")
    options = parser.parse_args()
    for program in [*options.binaries, options.drain]:
        if not program.is_file():
            parser.error(f"{program} does not exist: build it first, see --help")
    print("| steps | binary | drain ms | validate ms | ratio | ÷ first |")
    print("| ---: | --- |" + " ---: |" * 4, flush=True)
    ratios = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = pathlib.Path(folder) / f"{size}.yaml"
            with path.open("w") as file:
                subprocess.run([sys.executable, HERE / "generate.py", str(size)], check=True, stdout=file)
            ratios[size] = measure(size, path, options)
    # Of the first binary.
    print("figure: validate ÷ draining " + ", ".join(f"{ratio[0]:.2f} ({size})" for size, ratio in ratios.items()))
    if options.check and any(ratio > MOST for found in ratios.values() for ratio in found):
        sys.exit(f"not met: validate ÷ draining ≤ {MOST}")


def measure(size: int, path: pathlib.Path, options: argparse.Namespace) -> list[float]:
    """The ratio of each binary."""
    drain, validate = [], [[] for _ in options.binaries]
    # The first of each does not count.
    for turn in range(options.runs + 1):
        drained = timed([options.drain.resolve(), path])
        # Each begins as often as the others.
        order = [(at + turn) % len(validate) for at in range(len(validate))]
        taken = {at: timed([options.binaries[at].resolve(), "validate", path]) for at in order}
        if turn > 0:
            drain.append(drained)
            for at, took in taken.items():
                validate[at].append(took)
    alone = statistics.median(drain)
    ratios = []
    for binary, runs in zip(options.binaries, validate, strict=True):
        whole = statistics.median(runs)
        paired = statistics.median(mine / first for mine, first in zip(runs, validate[0], strict=True))
        ratios.append(whole / alone)
        print(f"| {size} | {binary} | {alone:.1f} | {whole:.1f} | {ratios[-1]:.2f} | {paired:.3f} |", flush=True)
    return ratios


def timed(command: list) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1_000


if __name__ == "__main__":
    main()
