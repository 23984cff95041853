"""Tests of `.ci/gate.py`: which figures miss their bars, and how they are printed."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / ".ci"))

import gate  # noqa: E402
from gate import Figure  # noqa: E402

OUTPUT = """
running 2 tests
figure: calls of daily.yaml, ExecutePlan: 4
.figure: peak memory of 10000000 rows, MiB: {peak}
"""


class GateTest(unittest.TestCase):
    def test_a_ratio_above_its_bar_is_named_and_fails_where_it_gets_worse(self) -> None:
        self.assertEqual(gate.ratio(1_000, gate.MOST_RATIO * 0.01, 0.01).verdict, "met")
        self.assertEqual(gate.ratio(1_000, gate.MOST_RATIO * 0.011, 0.01).verdict, "over the bar")
        self.assertTrue(gate.ratio(1_000, gate.WORST_RATIO * 0.011, 0.01).is_missed)

    def test_memory_above_its_bar_is_missed(self) -> None:
        for peak, is_missed in [(100, False), (101, True)]:
            calls, memory = gate.counted(OUTPUT.format(peak=peak), True)
            self.assertEqual((calls.value, calls.is_missed), ("4", False))
            self.assertEqual((memory.value, memory.is_missed), (str(peak), is_missed))

    def test_figures_of_tests_that_failed_are_missed(self) -> None:
        calls, memory = gate.counted(OUTPUT.format(peak=70), False)
        self.assertTrue(calls.is_missed)
        self.assertFalse(memory.is_missed)

    def test_tests_without_figures_are_an_error(self) -> None:
        for output in ("running 0 tests\n", "figure: calls of daily.yaml, ExecutePlan: 4\n"):
            with self.assertRaises(SystemExit):
                gate.counted(output, True)

    def test_the_table_is_aligned(self) -> None:
        table = gate.table([Figure("a", "1.5", "≤ 2", "met"), Figure("longer", "3", "≤ 2", "missed")])
        self.assertEqual(table, "what    figure  bar\na       1.5     ≤ 2  met\nlonger  3       ≤ 2  missed")


if __name__ == "__main__":
    unittest.main()
