"""Which packages an engine finds, and what shows that it can be loaded."""

import tempfile
import unittest
from pathlib import Path

from pipectl_engine import content
from program import run


class Packages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = Path(folder.name, "site")
        self.write("engine/__init__.py", "from engine import inner\n")
        self.write("engine/inner.py", "VALUE = 7\n")
        self.write("other.py", "")
        # What another program brings must not be executed.
        self.write("pyspark/__init__.py", "raise RuntimeError('the foreign one')\n")
        self.write("pyspark/sql.py", "")

    def write(self, name, text):
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def prove(self, statement, **packages):
        code, _, errors = run("prove", {"site": str(self.site), **packages}, statement)
        return "" if code == 0 else errors.strip().splitlines()[-1]

    def test_a_folder_of_its_own_is_searched_as_it_is(self):
        self.assertEqual(self.prove("import engine, other; assert engine.inner.VALUE == 7"), "")
        self.assertEqual(self.prove("import pyspark"), "RuntimeError: the foreign one")

    def test_of_a_folder_with_others_one_is_found(self):
        beside = {"only": ["engine"], "versions": {"pyspark": "4.2.0"}}
        self.assertEqual(self.prove("import engine; assert engine.inner.VALUE == 7", **beside), "")
        self.assertEqual(self.prove("import other", **beside), "ModuleNotFoundError: No module named 'other'")

    def test_a_version_stands_in_for_what_is_installed(self):
        beside = {"only": ["engine"], "versions": {"pyspark": "4.2.0"}}
        self.assertEqual(self.prove("import pyspark; assert pyspark.__version__ == '4.2.0'", **beside), "")
        found = self.prove("import pyspark.sql", **beside)
        self.assertEqual(found, "ModuleNotFoundError: No module named 'pyspark.sql'")

    def test_packages_of_the_interpreter_are_not_found(self):
        self.assertEqual(self.prove("import sys; assert not [it for it in sys.path if 'site-packages' in it]"), "")


class Content(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = Path(folder.name)
        (self.site / "jars").mkdir()
        (self.site / "jars/a.jar").write_bytes(b"12345")
        content.record(self.site, {"jars/a.jar": 5})

    def reason(self):
        with self.assertRaises(ImportError) as raised:
            content.check(self.site)
        return str(raised.exception)

    def test_is_whole(self):
        content.check(self.site)
        self.assertEqual(content.size(self.site), 5 + len('{"jars/a.jar": 5}'))
        self.assertEqual(run("prove", {"site": str(self.site)}, "check()")[0], 0)

    def test_says_what_is_missing(self):
        (self.site / "jars/a.jar").unlink()
        self.assertEqual(self.reason(), "`jars/a.jar` is missing")
        _, _, errors = run("prove", {"site": str(self.site)}, "check()")
        self.assertTrue(errors.endswith("ImportError: `jars/a.jar` is missing\n"), errors)

    def test_says_what_has_another_size(self):
        (self.site / "jars/a.jar").write_bytes(b"1")
        self.assertEqual(self.reason(), "`jars/a.jar` has 1 bytes and not 5")

    def test_says_that_its_list_is_damaged(self):
        (self.site / content.FILE).write_text("{")
        self.assertTrue(self.reason().startswith("`content.json`: "), self.reason())


if __name__ == "__main__":
    unittest.main()
