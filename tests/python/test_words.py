"""Tests of `.ci/words.py`: what is read of a file, where patterns match, and that the list of old places only shrinks."""

import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / ".ci"))

import words  # noqa: E402

PATTERNS = """# A comment
frob: frob(s|bed)? -> "fix"
sum-up [text]: sums? (it )?up -> "add"
old-name [names]: old name -> "new name"
"""


def found(path: str, text: str) -> list[tuple[int, str, str]]:
    places = words.places(path, text, words.read_patterns(PATTERNS))
    return [(place.line, place.pattern.id, place.phrase) for place in places]


def keys(path: str, text: str) -> Counter:
    return words.count(words.places(path, text, words.read_patterns(PATTERNS)))


class PatternsTest(unittest.TestCase):
    def test_a_line_has_an_id_a_kind_a_regex_and_a_replacement(self) -> None:
        frob, sum_up, _ = words.read_patterns(PATTERNS)
        self.assertEqual((frob.id, frob.instead, sorted(frob.kinds)), ("frob", '"fix"', ["names", "text"]))
        self.assertEqual(sorted(sum_up.kinds), ["text"])

    def test_other_lines_and_repeated_ids_are_errors(self) -> None:
        for text in ("frob", "frob [code]: a -> b", "a: b -> c\na: d -> e"):
            with self.assertRaises(ValueError):
                words.read_patterns(text)

    def test_the_patterns_of_the_repository_are_valid(self) -> None:
        self.assertGreater(len(words.read_patterns(words.PATTERNS.read_text())), 40)


class PlacesTest(unittest.TestCase):
    def test_rust_has_comments_literals_and_names(self) -> None:
        text = 'fn frobbed() {\n    // It sums\n    // up.\n    let a = "it \\\n        frobs";\n    f(\'"\', r#"sum up "it""#)\n}\n'
        expected = [(1, "frob", "frobbed"), (2, "sum-up", "sums up"), (5, "frob", "frobs"), (6, "sum-up", "sum up")]
        self.assertEqual(found("src/a.rs", text), expected)

    def test_names_are_matched_by_their_words(self) -> None:
        self.assertEqual(found("src/a.rs", "OldName; old_name; older_name; unfrobbed"), [
            (1, "old-name", "OldName"), (1, "old-name", "old_name"),
        ])  # fmt: skip
        self.assertEqual(found("src/frob/old_name.rs", ""), [(1, "frob", "frob"), (1, "old-name", "old_name")])

    def test_python_has_comments_literals_and_docstrings(self) -> None:
        text = '"""Sums\nup."""\n# It frobs.\na = f"frob {b}"\n'
        expected = [(1, "sum-up", "Sums up"), (3, "frob", "frobs"), (4, "frob", "frob")]
        self.assertEqual(found(".ci/a.py", text), expected)

    def test_literals_of_tests_quote_messages(self) -> None:
        self.assertEqual(found("tests/it/a.rs", '// Frob.\nf("frob")'), [(1, "frob", "Frob")])

    def test_markdown_is_read_outside_of_code(self) -> None:
        text = "One `frob` is code, it\nfrobs.\n\n```yaml\nfrob: 1\n```\n\nSum it up.\n"
        self.assertEqual(found("README.md", text), [(2, "frob", "frobs"), (8, "sum-up", "Sum it up")])

    def test_released_sections_of_the_changelog_stay_as_they_are(self) -> None:
        text = "## 0.2.0 (unreleased)\n\nFrob.\n\n## 0.1.0\n\nFrobbed.\n"
        self.assertEqual(found("CHANGELOG.md", text), [(3, "frob", "Frob")])

    def test_a_place_survives_moves_and_line_breaks_but_no_change_of_its_sentence(self) -> None:
        before = keys("src/a.rs", "// Now it frobs all of them.")
        self.assertEqual(before, keys("src/b/c.rs", "fn f() {\n    /// Now it frobs\n    /// all of them.\n}"))
        self.assertNotEqual(before, keys("src/a.rs", "// Now it frobs some of them."))

    def test_a_place_is_printed_with_what_to_write(self) -> None:
        (place,) = words.places("README.md", "It frobs.", words.read_patterns(PATTERNS))
        self.assertEqual(str(place), 'README.md:1: "frobs" -> write "fix"')


class ListTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        subprocess.run(["git", "init", "--quiet", self.root], check=True)
        (self.root / "words.txt").write_text(PATTERNS)
        self.left = self.root / "words-left.txt"
        constants = {"ROOT": self.root, "PATTERNS": self.root / "words.txt", "LEFT": self.left}
        for name, value in constants.items():
            patch = mock.patch.object(words, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def run_check(self, readme: str, *arguments: str) -> tuple[int, str]:
        (self.root / "README.md").write_text(readme)
        output = StringIO()
        with redirect_stdout(output), mock.patch.object(sys, "argv", ["words", *arguments]):
            try:
                words.main()
            except SystemExit as end:
                return end.code, output.getvalue()
        return 0, output.getvalue()

    def test_a_new_place_fails_and_shrinking_does_not_admit_it(self) -> None:
        self.assertEqual(self.run_check("It frobs.", "--admit", "frob")[0], 0)
        self.assertEqual(self.run_check("It frobs."), (0, "1 old places of 1 patterns, 0 new\n"))
        for arguments in ((), ("--shrink",)):
            code, output = self.run_check("It frobs.\n\nIt frobs.\n\nIt frobbed.", *arguments)
            self.assertEqual(code, 1)
            self.assertIn("README.md:3:", output)
            self.assertIn("README.md:5:", output)
            self.assertNotIn("README.md:1:", output)

    def test_a_place_that_is_gone_fails_until_the_list_is_shorter(self) -> None:
        self.run_check("It frobs.\n\nIt frobs.", "--admit", "frob")
        code, output = self.run_check("It frobs.")
        self.assertEqual(code, 1)
        self.assertIn("1 places of the list are gone", output)
        self.assertEqual(self.run_check("It frobs.", "--shrink")[0], 0)
        self.assertEqual(self.run_check("It frobs.\n\nIt frobs.")[0], 1)

    def test_a_pattern_is_admitted_once(self) -> None:
        self.run_check("It frobs.", "--admit", "frob")
        code, _ = self.run_check("It frobbed.", "--admit", "frob")
        self.assertEqual(code, "frob has places in the list: rewrite the new ones")
        self.assertEqual(self.run_check("", "--admit", "frobbed")[0], "no pattern has the id frobbed")

    def test_an_entry_that_a_merge_repeats_counts_once(self) -> None:
        left = words.read_left("# head\nfrob 0123456789 3\nfrob 0123456789\nfrob frobbed\n")
        self.assertEqual(left, Counter({("frob", "0123456789"): 1, ("frob", "frobbed"): 1}))
        self.assertEqual(words.read_left(words.write_left(left)), left)


if __name__ == "__main__":
    unittest.main()
