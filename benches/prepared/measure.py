"""Measures `pipectl run` on a server that costs nothing against encoding the same rows from memory.

    cargo build --release --locked --bin pipectl
    cargo build --release --locked --example prepared --features bench
    python3 benches/prepared/measure.py [--rows 10000000] [--shapes narrow,wide,strings] [--runs 5]

Prints, for each shape, the medians in seconds and their ratio. The two take turns, so that what else runs on the machine meets
both.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / "target" / "release"
ROWS = {"narrow": 10_000_000, "wide": 500_000, "strings": 1_000_000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", default=",".join(ROWS))
    parser.add_argument("--rows", type=int, help="instead of each shape's own number of rows")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--release", type=pathlib.Path, default=RELEASE, help="the folder of the two programs")
    options = parser.parse_args()
    print("| shape | rows | encoding s | run s | run ÷ encoding | run's processor s | server's | peak MiB |")
    print("| --- |" + " ---: |" * 7, flush=True)
    for shape in options.shapes.split(","):
        measure(shape, options.rows or ROWS[shape], options)


def measure(shape: str, rows: int, options: argparse.Namespace) -> None:
    prepared = options.release / "examples" / "prepared"
    made = ["--shape", shape, "--rows", str(rows)]
    with tempfile.TemporaryDirectory() as folder:
        pipeline = pathlib.Path(shutil.copy(HERE / "pipeline.yaml", folder))
        out = pipeline.with_name("out.parquet")
        server = subprocess.Popen([prepared, "serve", *made], stdout=subprocess.PIPE, text=True)
        try:
            remote = server.stdout.readline().strip()
            run = [options.release / "pipectl", "run", pipeline, "--remote", remote]
            encoded, streamed, spent, served, peaks = [], [], [], [], []
            # The first of each does not count.
            for turn in range(options.runs + 1):
                wall = json.loads(subprocess.check_output([prepared, "encode", *made, out]))["wall_seconds"]
                size = out.stat().st_size
                out.unlink()
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
                    encoded.append(wall)
                    streamed.append(took)
                    spent.append(usage.ru_utime + usage.ru_stime)
                    served.append(processor_time(server.pid) - before)
                    peaks.append(usage.ru_maxrss / 1024)
        finally:
            server.kill()
            server.wait()
    alone, whole, own, others, peak = map(statistics.median, (encoded, streamed, spent, served, peaks))
    print(
        f"| {shape} | {rows:,} | {alone:.2f} | {whole:.2f} | {whole / alone:.2f} | {own:.2f} | {others:.2f} | {peak:.0f} |",
        flush=True,
    )


def processor_time(process: int) -> float:
    """Seconds of a process, of all its threads."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
