"""Makes wheels: the program of one build, its licences and its SBOM. `wheel` and `package` beside it say what for."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "pipectl-spark"
# Where maturin looks for it; it is there only meanwhile.
NOTICES = ROOT / "THIRD-PARTY-NOTICES.txt"


def run(*command, **settings):
    """Runs a program that must succeed, and returns what it wrote to stdout."""
    command = [str(word) for word in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, **settings)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def say(text, since):
    """Prints what has been done, and how long it took."""
    print(f"{text} ({time.monotonic() - since:.1f} s)", flush=True)


def host():
    """Returns the target for which cargo builds where none is named."""
    return next(line.split()[1] for line in run("rustc", "-vV").splitlines() if line.startswith("host: "))


def build_wheel(folder, target, tools, *arguments):
    """Lets maturin build a wheel into an empty folder and returns its path; cargo compiles only what it has not compiled before."""
    began = time.monotonic()
    run(sys.executable, ROOT / ".ci" / "notices.py", target, NOTICES, cwd=ROOT)
    programs = run(ROOT / ".ci" / "tools", tools).strip()
    # maturin starts zig as a module of the first Python on the path: that of its own environment.
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    shutil.rmtree(folder, ignore_errors=True)
    try:
        run("maturin", "build", "--quiet", "--locked", "--out", folder, *arguments, cwd=ROOT, env=environment)
    finally:
        NOTICES.unlink()
    (wheel,) = folder.glob("*.whl")
    say(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size} bytes", began)
    return wheel
