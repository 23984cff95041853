"""Tests of `.ci/nightly.py`: what starts within a budget, how programs end, what the summary and the exit code say."""

import sys
import tempfile
import time
import unittest
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / ".ci"))

import nightly  # noqa: E402
from nightly import Budget, Program, Result  # noqa: E402


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def run(
    programs: list[Program], minutes: float, taken: dict[str, float], failing: set[str] = frozenset()
) -> list[Result]:
    """Runs programs that take so many minutes each, on a clock of their own."""
    clock = Clock()

    def execute(program: Program, _: float) -> Result:
        clock.seconds += taken[program.name] * 60
        return Result(program.name, "failed: exit code 1" if program.name in failing else "passed", taken[program.name])

    with redirect_stdout(StringIO()):
        return nightly.run_all(programs, Budget(minutes, clock), execute)


def statuses(results: list[Result]) -> dict[str, str]:
    return {result.name: result.status for result in results}


class BudgetTest(unittest.TestCase):
    def test_a_program_starts_if_its_minutes_are_left(self) -> None:
        programs = [Program("a", "", 6), Program("b", "", 5), Program("c", "", 4)]
        found = statuses(run(programs, 10, {"a": 6, "c": 4}))
        self.assertEqual(found, {"a": "passed", "b": "skipped: no budget left", "c": "passed"})

    def test_what_a_program_does_not_use_is_left_for_others(self) -> None:
        programs = [Program("a", "", 9), Program("b", "", 9)]
        self.assertEqual(statuses(run(programs, 10, {"a": 1, "b": 9})), {"a": "passed", "b": "passed"})
        self.assertEqual(
            statuses(run(programs, 10, {"a": 1.5, "b": 9})), {"a": "passed", "b": "skipped: no budget left"}
        )

    def test_no_minutes_are_left_after_the_end(self) -> None:
        clock = Clock()
        budget = Budget(1, clock)
        clock.seconds += 90
        self.assertEqual(budget.left(), 0)
        self.assertFalse(budget.fits(1))


class OrderTest(unittest.TestCase):
    def test_quick_programs_come_first_and_keep_their_order(self) -> None:
        programs = [
            Program("a", "", 1),
            Program("b", "", 1, quick=True),
            Program("c", "", 1),
            Program("d", "", 1, quick=True),
        ]
        self.assertEqual([program.name for program in nightly.selected(programs, None)], ["b", "d", "a", "c"])

    def test_a_selected_program_brings_those_before_it(self) -> None:
        programs = [
            Program("a", "", 1),
            Program("b", "", 1),
            Program("c", "", 1, after="a"),
            Program("d", "", 1, after="c"),
        ]
        self.assertEqual([program.name for program in nightly.selected(programs, ["d"])], ["a", "c", "d"])

    def test_a_program_waits_for_the_one_before_it(self) -> None:
        programs = [Program("a", "", 1), Program("b", "", 1, after="a"), Program("c", "", 1, after="b")]
        found = statuses(run(programs, 9, {"a": 1}, failing={"a"}))
        self.assertEqual(found["b"], "skipped: `a` did not pass")
        self.assertEqual(found["c"], "skipped: `b` did not pass")

    def test_a_program_that_lacks_something_is_skipped_by_name(self) -> None:
        programs = [Program("a", "", 1, lacks=nightly.needs_file("no/such/file"))]
        self.assertEqual(statuses(run(programs, 9, {})), {"a": "skipped: `no/such/file` does not exist"})
        self.assertIsNone(nightly.needs("true")())
        self.assertEqual(nightly.needs("false")(), "`false` does not work")
        self.assertEqual(nightly.needs("no-such-program")(), "`no-such-program` does not work")

    def test_the_list_is_in_order(self) -> None:
        names = [program.name for program in nightly.PROGRAMS]
        self.assertEqual(len(names), len(set(names)))
        order = [program.name for program in nightly.selected(nightly.PROGRAMS, None)]
        for program in nightly.PROGRAMS:
            if program.after:
                self.assertLess(order.index(program.after), order.index(program.name), program.name)


class ExecuteTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        logs = mock.patch.object(nightly, "LOGS", Path(folder.name))
        logs.start()
        self.addCleanup(logs.stop)
        self.folder = Path(folder.name)

    def execute(self, program: Program) -> tuple[Result, str]:
        output = StringIO()
        with redirect_stdout(output):
            result = nightly.execute(program, 0.01)
        return result, output.getvalue()

    def test_the_last_figure_is_the_programs(self) -> None:
        result, output = self.execute(Program("a", "echo figure: 1; echo figure: 2 MiB; echo end", 1))
        self.assertEqual((result.status, result.figure, output), ("passed", "2 MiB", ""))

    def test_the_end_of_a_failed_programs_output_is_printed(self) -> None:
        result, output = self.execute(Program("a", "seq 100; echo broken >&2; exit 3", 1))
        self.assertEqual(result.status, "failed: exit code 3")
        self.assertIn("broken", output)
        self.assertNotIn("\n60\n", output)

    def test_a_command_that_fails_ends_the_script(self) -> None:
        result, _ = self.execute(Program("a", "false; echo figure: 1", 1))
        self.assertEqual((result.status, result.figure), ("failed: exit code 1", ""))
        self.assertEqual(self.execute(Program("a", "false | true", 1))[0].status, "failed: exit code 1")

    def test_a_program_that_takes_too_long_is_terminated_with_all_that_it_started(self) -> None:
        path = self.folder / "process"
        began = time.monotonic()
        result, _ = self.execute(Program("a", f"sleep 60 & echo $! > {path}; wait", 0.005))
        self.assertEqual(result.status, "failed: took longer than 0.005 minutes")
        self.assertLess(time.monotonic() - began, 30)
        state = Path(f"/proc/{path.read_text().strip()}/stat")
        # Gone, or waiting for its new parent.
        self.assertTrue(not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z")

    def test_a_program_leaves_no_process(self) -> None:
        path = self.folder / "process"
        result, _ = self.execute(Program("a", f"sleep 60 & echo $! > {path}", 1))
        self.assertEqual(result.status, "passed")
        state = Path(f"/proc/{path.read_text().strip()}/stat")
        self.assertTrue(not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z")

    def test_a_program_is_compiled_first_and_in_what_is_left(self) -> None:
        result, _ = self.execute(Program("a", "echo figure: run", 1, compile="echo figure: compiled"))
        self.assertEqual((result.status, result.figure), ("passed", "run"))
        result, _ = self.execute(Program("a", "echo figure: run", 1, compile="exit 2"))
        self.assertEqual((result.status, result.figure), ("failed: exit code 2", ""))
        result, _ = self.execute(Program("a", "echo figure: run", 1, compile="sleep 60"))
        self.assertEqual((result.status, result.figure), ("failed: took longer than 0.01 minutes", ""))

    def test_compiling_names_what_fails(self) -> None:
        programs = [Program("a", "", 1, compile="true"), Program("b", "", 1, compile="false"), Program("c", "", 1)]
        output = StringIO()
        with redirect_stdout(output):
            self.assertEqual(nightly.compile_all(programs), 1)
            self.assertEqual(nightly.compile_all(programs[:1]), 0)
        self.assertEqual(output.getvalue(), "b: does not compile\n")


class SummaryTest(unittest.TestCase):
    def test_each_program_has_a_line(self) -> None:
        results = [
            Result("tests", "passed", 1.25, "9 passed; 0 failed"),
            Result("fuzz", "failed: exit code 1", 0.04),
            Result("peers", "skipped: no budget left"),
        ]
        expected = """
== summary
tests  passed                     1.2 min  9 passed; 0 failed
fuzz   failed: exit code 1        0.0 min
peers  skipped: no budget left"""
        self.assertEqual(nightly.summary(results), expected)

    def test_the_exit_code(self) -> None:
        passed, failed = Result("a", "passed"), Result("b", "failed: exit code 1")
        skipped = Result("c", "skipped: no budget left")
        for results, strict, code in [
            ([passed], True, 0),
            ([passed, skipped], False, 0),
            ([passed, skipped], True, 1),
            ([passed, failed], False, 1),
            ([], True, 0),
        ]:
            self.assertEqual(nightly.exit_code(results, strict), code)


if __name__ == "__main__":
    unittest.main()
