"""Measures `pipectl validate` in new processes against draining the same file's YAML events.

    cargo build --release --bins --examples
    python3 benches/validate/measure.py [RUNS]

Prints, for each size, the medians in milliseconds and their ratio. The two take turns, so that what else runs on the
machine meets both.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / "target" / "release"
SIZES = [1_000, 3_000, 10_000]


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1_000


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    print(f"{'steps':>7} {'drain ms':>9} {'validate ms':>12} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = pathlib.Path(folder) / f"{size}.yaml"
            with path.open("w") as file:
                subprocess.run([sys.executable, HERE / "generate.py", str(size)], check=True, stdout=file)
            drain, validate = [], []
            for _ in range(runs):
                drain.append(timed([RELEASE / "examples" / "drain_events", path]))
                validate.append(timed([RELEASE / "pipectl", "validate", path]))
            drained, validated = statistics.median(drain), statistics.median(validate)
            print(f"{size:>7} {drained:>9.1f} {validated:>12.1f} {validated / drained:>6.2f}")


if __name__ == "__main__":
    main()
