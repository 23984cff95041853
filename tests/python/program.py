"""Runs a program of the package in a process of its own, with what pipectl gives it: arguments, and an open input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[2] / "src/engine/python"
START = f"import sys; sys.path.insert(0, {str(PACKAGE)!r}); from importlib import import_module; "
START += "sys.exit(import_module('pipectl_engine.' + sys.argv[1]).main(sys.argv[2:]))"


def command(module: str, *arguments: Any) -> list[str]:
    """The command line; what is no text is passed as JSON."""
    texts = [argument if isinstance(argument, str) else json.dumps(argument) for argument in arguments]
    return [sys.executable, "-I", "-S", "-B", "-c", START, module, *texts]


def start(module: str, *arguments: Any, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Starts it; the end of standard input is the end of pipectl."""
    return subprocess.Popen(
        command(module, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def run(module: str, *arguments: Any, environment: Mapping[str, str] | None = None) -> tuple[int, list[Any], str]:
    """Waits for its end: exit code, messages, and what it has written to standard error."""
    with start(module, *arguments, environment=environment) as process:
        assert process.stdin and process.stdout and process.stderr
        messages = [json.loads(line) for line in process.stdout]
        errors = process.stderr.read()
        # Held open until now: it may end before its input does.
        process.stdin.close()
        return process.wait(), messages, errors
