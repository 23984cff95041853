"""Runs the programs that take too long for each change, as many as fit in a budget, and prints a summary.

    .ci/nightly --minutes 180                # quick programs first, then the rest in the order of the list
    .ci/nightly --list                       # print the list
    .ci/nightly --minutes 60 --only validate # one of them, and those that have to pass before it
    .ci/nightly --compile                    # compile what the programs need and run none

A program starts if the budget has as many minutes left as it may take, and is terminated when they are over. The exit code is
1 if a program failed, with `--strict` also if one was skipped. The output of a program goes to `target/nightly/NAME.log`;
the last lines are printed if it fails. To add a program, add a line to `PROGRAMS`.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
LOGS = TARGET / "nightly"
# How long a program may take to end after it was asked to.
GRACE_SECONDS = 10
# Lines of a failed program's output that are printed.
TAIL = 40

# The summary that Cargo prints for a test binary.
TESTS = r"^test result: \w+\. (\d+ passed; \d+ failed)"


@dataclasses.dataclass(frozen=True)
class Program:
    """A line of the list."""

    name: str
    # A script for bash, in the root of the repository; `$TARGET` is the folder of Cargo's output.
    command: str
    # The minutes that it may take on two cores, without the time of `compile`.
    minutes: float
    # The figure in its output: the group of the last match.
    figure: str = r"^figure: (.+)$"
    # Quick programs run first.
    quick: bool = False
    # A program that has to pass before this one starts.
    after: str | None = None
    # Compiles what it needs, before it starts; it may take what is left of the budget.
    compile: str | None = None
    # Returns what this machine lacks to run it.
    lacks: Callable[[], str | None] = lambda: None


@dataclasses.dataclass
class Result:
    """How a program ended."""

    name: str
    status: str
    minutes: float = 0.0
    figure: str = ""

    @property
    def is_failure(self) -> bool:
        return self.status.startswith("failed")

    @property
    def is_skipped(self) -> bool:
        return self.status.startswith("skipped")


class Budget:
    """The minutes that all programs share."""

    def __init__(self, minutes: float, clock: Callable[[], float] = time.monotonic):
        self.clock = clock
        self.end = clock() + minutes * 60

    def left(self) -> float:
        return max(0.0, self.end - self.clock()) / 60

    def fits(self, minutes: float) -> bool:
        # What a check before it took does not count against a program that may take the whole budget.
        return minutes <= self.left() + 0.05


def needs(command: str) -> Callable[[], str | None]:
    """A command that has to work."""

    def lacks() -> str | None:
        with contextlib.suppress(OSError):
            done = subprocess.run(command.split(), cwd=ROOT, capture_output=True)
            if done.returncode == 0:
                return None
        return f"`{command}` does not work"

    return lacks


def needs_file(path: str) -> Callable[[], str | None]:
    """A file that has to exist in the repository."""
    return lambda: None if (ROOT / path).exists() else f"`{path}` does not exist"


DIST = "cargo build --profile dist --locked"
SIZE = 'echo "figure: $(wc -c < "$TARGET/dist/pipectl") bytes"'
OLDEST_SPARK = "PIPECTL_TEST_SPARK=spark-4.0 cargo test --locked --test it on_spark::spark::"
FUZZ = 'cargo check --locked --manifest-path fuzz/Cargo.toml --target-dir "$TARGET"'
PREPARED = f"{DIST} --example prepared --features bench"
PEERS = """python3 benches/peers/run.py --cases 10m,wide,strings --check \\
    --pipectl "$TARGET/dist/pipectl" --prepared "$TARGET/dist/examples/prepared" """
DENY = """export PATH="$TARGET/tools/bin:$PATH"
    cargo deny --version || cargo install --locked --root "$TARGET/tools" cargo-deny
    cargo deny check"""

PROGRAMS = [
    Program(
        "oldest-spark", OLDEST_SPARK, 15, figure=TESTS, quick=True, compile="cargo test --locked --test it --no-run"
    ),
    Program("fuzz-check", FUZZ, 1, quick=True, compile=FUZZ),
    Program("dist", f"{DIST} --bins --package pipectl --package pipectl-drain; {SIZE}", 30),
    Program("validate", "python3 benches/validate/measure.py --check", 5, after="dist"),
    Program("check", 'python3 benches/check/measure.py "$TARGET/dist/pipectl"', 5, after="dist"),
    Program("prepared", f"{PREPARED}; python3 benches/prepared/measure.py", 40, after="dist"),
    Program("stages", "cargo bench --profile dist --locked --features bench", 40, after="prepared"),
    Program("peers", PEERS, 60, after="prepared"),
    Program("fuzz", ".ci/fuzz 30", 30, lacks=needs("cargo +nightly --version")),
    Program("licences", DENY, 20, lacks=needs_file("deny.toml")),
]


def main() -> None:
    options = arguments()
    programs = selected(PROGRAMS, options.only)
    if options.list:
        print(listing(programs))
        return
    if options.compile:
        sys.exit(compile_all(programs))
    results = run_all(programs, Budget(options.minutes))
    print(summary(results))
    sys.exit(exit_code(results, options.strict))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [program.name for program in PROGRAMS]
    parser.add_argument("--minutes", type=float, default=180, help="the budget; 180 by default")
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help="run this program; can be repeated"
    )
    parser.add_argument("--strict", action="store_true", help="fail if a program was skipped")
    parser.add_argument("--list", action="store_true", help="print the programs")
    parser.add_argument("--compile", action="store_true", help="compile the programs and run none")
    return parser.parse_args()


def selected(programs: list[Program], names: list[str] | None) -> list[Program]:
    """The programs of these names and those that have to pass before them, quick ones first."""
    by_name = {program.name: program for program in programs}
    wanted = set()
    for name in names or by_name:
        while name and name not in wanted:
            wanted.add(name)
            name = by_name[name].after
    return sorted((program for program in programs if program.name in wanted), key=lambda program: not program.quick)


def run_all(
    programs: list[Program], budget: Budget, run: Callable[[Program, float], Result] | None = None
) -> list[Result]:
    """Runs one program after the other, those that fit."""
    results = {}
    for program in programs:
        reason = reason_to_skip(program, budget, results)
        if reason:
            result = Result(program.name, f"skipped: {reason}")
        else:
            print(f"== {program.name}: at most {program.minutes:g} of {budget.left():.1f} minutes", flush=True)
            result = (run or execute)(program, budget.left())
        print(f"{result.name}: {result.status}", flush=True)
        results[program.name] = result
    return list(results.values())


def reason_to_skip(program: Program, budget: Budget, results: dict[str, Result]) -> str | None:
    if program.after and results[program.after].status != "passed":
        return f"`{program.after}` did not pass"
    if not budget.fits(program.minutes):
        return "no budget left"
    return program.lacks()


def execute(program: Program, left: float) -> Result:
    """Compiles a program in the minutes that are left, and runs it to its end or to the end of its own minutes."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{program.name}.log"
    began = time.monotonic()
    allowed = program.minutes
    with path.open("wb") as log:
        status = 0
        if program.compile:
            allowed = left
            status = run_script(program.compile, log, left * 60)
        if status == 0:
            allowed = program.minutes
            status = run_script(program.command, log, program.minutes * 60)
    minutes = (time.monotonic() - began) / 60
    output = path.read_text(errors="replace")
    if status is None:
        verdict = f"failed: took longer than {allowed:.3g} minutes"
    elif status != 0:
        verdict = f"failed: exit code {status}"
    else:
        verdict = "passed"
    if verdict != "passed":
        print("\n".join(output.splitlines()[-TAIL:]))
        print(f"(all of it: {path})")
    return Result(program.name, verdict, minutes, figure(program, output))


def run_script(command: str, log: IO[bytes] | None, seconds: float | None) -> int | None:
    """The exit code of a script; nothing if it took too long. No process of it is left."""
    environment = os.environ | {"TARGET": str(TARGET), "CARGO_TERM_COLOR": "never"}
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT if log else None,
        start_new_session=True,
    )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        terminate(process)


def terminate(process: subprocess.Popen) -> None:
    """Ends a script and all that it started."""
    for number, grace in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
            end = time.monotonic() + grace
            while time.monotonic() < end:
                process.poll()
                # Fails once the group has no process.
                os.killpg(process.pid, 0)
                time.sleep(0.05)
    process.wait()


def figure(program: Program, output: str) -> str:
    found = re.findall(program.figure, output, re.MULTILINE)
    return found[-1].strip() if found else ""


def compile_all(programs: list[Program]) -> int:
    failed = [program.name for program in programs if program.compile and run_script(program.compile, None, None) != 0]
    for name in failed:
        print(f"{name}: does not compile")
    return 1 if failed else 0


def summary(results: list[Result]) -> str:
    """A line for each program: name, status, minutes, figure."""
    names = max((len(result.name) for result in results), default=0)
    statuses = max((len(result.status) for result in results), default=0)
    lines = ["", "== summary"]
    for result in results:
        minutes = "" if result.is_skipped else f"{result.minutes:.1f} min"
        line = f"{result.name:<{names}}  {result.status:<{statuses}}  {minutes:>9}  {result.figure}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def exit_code(results: list[Result], strict: bool) -> int:
    return 1 if any(result.is_failure or (strict and result.is_skipped) for result in results) else 0


def listing(programs: list[Program]) -> str:
    names = max(len(program.name) for program in programs)
    lines = []
    for program in programs:
        notes = ["quick"] if program.quick else []
        notes += [f"after {program.after}"] if program.after else []
        lines.append(f"{program.name:<{names}}  {program.minutes:>4g} min  {', '.join(notes)}".rstrip())
        lines += [f"    {line.strip()}" for line in program.command.splitlines()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
