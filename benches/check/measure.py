"""Measures `pipectl check` in new processes, each of which starts an engine of its own.

    cargo build --release --bin pipectl
    python3 benches/check/measure.py [RUNS] [BINARY]

Prints, for each size, the median and the slowest in seconds. The first run of each, which may install the engine, does not count.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BINARY = HERE.parent.parent / "target" / "release" / "pipectl"
SIZES = [10, 100]


def timed(binary: str, path: pathlib.Path, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run([binary, "check", "-q", "--engine", "sail", path], check=True, env=environment)
    return time.perf_counter() - start


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    binary = sys.argv[2] if len(sys.argv) > 2 else str(BINARY)
    print(f"{'steps':>7} {'median s':>9} {'slowest s':>10}")
    with tempfile.TemporaryDirectory() as folder:
        # An engine that is kept would be used.
        environment = os.environ | {"XDG_RUNTIME_DIR": folder}
        for size in SIZES:
            path = pathlib.Path(folder) / f"{size}.yaml"
            with path.open("w") as file:
                subprocess.run([sys.executable, HERE / "generate.py", str(size)], check=True, stdout=file)
            times = [timed(binary, path, environment) for _ in range(runs + 1)][1:]
            print(f"{size:>7} {statistics.median(times):>9.2f} {max(times):>10.2f}")


if __name__ == "__main__":
    main()
