"""Measures `pipectl run` on a server that costs nothing against encoding the same rows from memory.

    cargo build --profile dist --locked --bin pipectl
    cargo build --profile dist --locked --example prepared --features bench
    python3 benches/prepared/measure.py [BINARY ...] [--rows 10000000] [--shapes narrow,wide,strings] [--runs 5]

Prints, for each shape and each binary, the medians in seconds and their ratio. Whoever is measured takes turns, so that
what else runs on the machine meets all of them. With several binaries, the last column compares each with the first: the
median of the ratios of the runs that followed each other.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target"))
DIST = TARGET / "dist"
ROWS = {"narrow": 10_000_000, "wide": 500_000, "strings": 1_000_000}


@dataclasses.dataclass
class Figures:
    """What the runs of one binary took, in their order."""

    wall: list[float] = dataclasses.field(default_factory=list)
    processor: list[float] = dataclasses.field(default_factory=list)
    server: list[float] = dataclasses.field(default_factory=list)
    peak: list[float] = dataclasses.field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries", nargs="*", type=pathlib.Path, default=[DIST / "pipectl"], metavar="BINARY")
    parser.add_argument("--prepared", type=pathlib.Path, default=DIST / "examples" / "prepared", help="the server")
    parser.add_argument("--shapes", default=",".join(ROWS))
    parser.add_argument("--rows", type=int, help="instead of each shape's own number of rows")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    for program in [*options.binaries, options.prepared]:
        if not program.is_file():
            parser.error(f"{program} does not exist: build it first, see --help")
    print(
        "| shape | rows | binary | encoding s | run s | run ÷ encoding | run's processor s | server's | peak MiB | ÷ first |"
    )
    print("| --- | ---: | --- |" + " ---: |" * 7, flush=True)
    shapes = options.shapes.split(",")
    ratios = [measure(shape, options.rows or ROWS[shape], options) for shape in shapes]
    print(
        "figure: run ÷ encoding "
        + ", ".join(f"{ratio:.2f} ({shape})" for shape, ratio in zip(shapes, ratios, strict=True))
    )


def measure(shape: str, rows: int, options: argparse.Namespace) -> float:
    """The ratio of the first binary."""
    prepared = options.prepared.resolve()
    made = ["--shape", shape, "--rows", str(rows)]
    encoded = []
    figures = [Figures() for _ in options.binaries]
    with tempfile.TemporaryDirectory() as folder:
        pipeline = pathlib.Path(shutil.copy(HERE / "pipeline.yaml", folder))
        out = pipeline.with_name("out.parquet")
        server = subprocess.Popen([prepared, "serve", *made], stdout=subprocess.PIPE, text=True)
        try:
            remote = server.stdout.readline().strip()
            # The first of each does not count.
            for turn in range(options.runs + 1):
                wall = json.loads(subprocess.check_output([prepared, "encode", *made, out]))["wall_seconds"]
                size = out.stat().st_size
                out.unlink()
                if turn > 0:
                    encoded.append(wall)
                for at in in_turn(turn, len(figures)):
                    run = [options.binaries[at].resolve(), "run", pipeline, "--remote", remote]
                    before = processor_time(server.pid)
                    began = time.perf_counter()
                    process = subprocess.Popen(run, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    _, status, usage = os.wait4(process.pid, 0)
                    took = time.perf_counter() - began
                    process.returncode = os.waitstatus_to_exitcode(status)
                    if process.returncode != 0 or out.stat().st_size != size:
                        raise SystemExit(f"{shape}: exit code {process.returncode}, or another file than from memory")
                    out.unlink()
                    if turn > 0:
                        figures[at].wall.append(took)
                        figures[at].processor.append(usage.ru_utime + usage.ru_stime)
                        figures[at].server.append(processor_time(server.pid) - before)
                        figures[at].peak.append(usage.ru_maxrss / 1024)
        finally:
            server.kill()
            server.wait()
    alone = statistics.median(encoded)
    for binary, it in zip(options.binaries, figures, strict=True):
        whole, own, others, peak = map(statistics.median, (it.wall, it.processor, it.server, it.peak))
        paired = statistics.median(mine / first for mine, first in zip(it.wall, figures[0].wall, strict=True))
        print(
            f"| {shape} | {rows:,} | {binary} | {alone:.2f} | {whole:.2f} | {whole / alone:.2f} | {own:.2f} | {others:.2f}"
            f" | {peak:.0f} | {paired:.3f} |",
            flush=True,
        )
    return statistics.median(figures[0].wall) / alone


def in_turn(turn: int, count: int) -> list[int]:
    """Each begins as often as the others."""
    shift = turn % count
    return [(at + shift) % count for at in range(count)]


def processor_time(process: int) -> float:
    """Seconds of a process, of all its threads."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
