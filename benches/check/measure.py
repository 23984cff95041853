"""Measures `pipectl check` in new processes, each of which starts an engine of its own.

    cargo build --profile dist --locked --bin pipectl
    python3 benches/check/measure.py [BINARY] [--runs 9]

Prints, for each size, the median and the slowest in seconds. The first run of each, which may install the engine, does not count.
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
SIZES = [10, 100]


def timed(binary: pathlib.Path, path: pathlib.Path, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run([binary, "check", "-q", "--engine", "sail", path], check=True, env=environment)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", nargs="?", type=pathlib.Path, default=TARGET / "dist" / "pipectl", metavar="BINARY")
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    binary = options.binary.resolve()
    medians = []
    print(f"{'steps':>7} {'median s':>9} {'slowest s':>10}")
    with tempfile.TemporaryDirectory() as folder:
        # An engine that is kept would be used.
        environment = os.environ | {"XDG_RUNTIME_DIR": folder}
        for size in SIZES:
            path = pathlib.Path(folder) / f"{size}.yaml"
            with path.open("w") as file:
                subprocess.run([sys.executable, HERE / "generate.py", str(size)], check=True, stdout=file)
            times = [timed(binary, path, environment) for _ in range(options.runs + 1)][1:]
            medians.append(statistics.median(times))
            print(f"{size:>7} {medians[-1]:>9.2f} {max(times):>10.2f}")
    print("figure: " + ", ".join(f"{size} steps {median:.2f} s" for size, median in zip(SIZES, medians, strict=True)))


if __name__ == "__main__":
    main()
