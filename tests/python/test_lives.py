"""How engines are started, held and ended."""

import fcntl
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from pipectl_engine.spark import has_content, megabytes_of_heap
from program import command, run, start

SECONDS = 10


class Lives(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.private = self.folder / "private"
        (self.private / "work").mkdir(parents=True)
        (self.private / "spill").mkdir()

    def order(self, script):
        """What the launcher is told, for an engine that is a shell's script."""
        order = {"folder": str(self.private), "command": ["/bin/sh", "-c", script]}
        return {**order, "environment": {"ADDED": "yes"}, "dropped": ["TAKEN_"]}

    def write_program(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def wait_for(self, condition):
        deadline = time.monotonic() + SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it does not happen")
            time.sleep(0.01)


class Launch(Lives):
    def test_says_how_the_engine_ended_and_removes_its_folder(self):
        for script, ended in (("exit 3", {"code": 3}), ("kill -SEGV $$", {"signal": 11})):
            (self.private / "work").mkdir(parents=True, exist_ok=True)
            code, messages, errors = run("launch", self.order(script))
            self.assertEqual((code, messages, errors), (0, [{"ended": ended}], ""))
            self.assertFalse(self.private.exists())

    def test_gives_the_engine_its_environment_and_its_folder(self):
        script = 'printf \'{"added": "%s", "taken": "%s", "at": "%s"}\\n\' "$ADDED" "$TAKEN_AWAY" "$PWD"'
        environment = {**os.environ, "TAKEN_AWAY": "no", "ADDED": "no"}
        _, messages, _ = run("launch", self.order(script), environment=environment)
        at = os.path.realpath(self.folder) + "/private/work"
        self.assertEqual(messages[0], {"added": "yes", "taken": "", "at": at})

    def test_says_that_a_program_cannot_be_executed(self):
        order = {**self.order(""), "command": ["/nowhere/engine"]}
        _, messages, errors = run("launch", order)
        self.assertEqual(messages, [{"ended": {"code": 127}}])
        self.assertIn("No such file or directory", errors)

    def test_ends_the_engine_when_pipectl_is_gone(self):
        with start("launch", self.order("printf '{\"pid\": %s}\\n' $$; exec sleep 100")) as launcher:
            engine = json.loads(launcher.stdout.readline())["pid"]
            launcher.stdin.close()
            self.assertEqual(json.loads(launcher.stdout.readline()), {"ended": {"signal": 9}})
            self.assertEqual(launcher.wait(SECONDS), 0)
        self.assertFalse(self.private.exists())
        with self.assertRaises(ProcessLookupError):
            os.kill(engine, 0)

    def test_ignores_what_is_meant_for_the_whole_group(self):
        with start("launch", self.order("echo '{}'; exec sleep 100")) as launcher:
            launcher.stdout.readline()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.killpg(launcher.pid, number)
            time.sleep(0.1)
            self.assertIsNone(launcher.poll())
            launcher.stdin.close()
            self.assertEqual(launcher.wait(SECONDS), 0)


class Hold(Lives):
    def setUp(self):
        super().setUp()
        (self.private / "lock").touch()

    def is_held(self):
        with (self.private / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def test_the_folder_is_held_until_the_engine_has_ended(self):
        self.assertFalse(self.is_held())
        launcher = start("launch", self.order("printf '{\"pid\": %s}\\n' $$; exec sleep 100"))
        with launcher:
            engine = json.loads(launcher.stdout.readline())["pid"]
            self.assertTrue(self.is_held())
            launcher.kill()
            launcher.wait(SECONDS)
            # The launcher is gone, and the engine lives on.
            self.assertTrue(self.is_held())
            os.kill(engine, signal.SIGKILL)
        self.wait_for(lambda: not self.is_held())

    def test_a_folder_without_a_lock_works_too(self):
        (self.private / "lock").unlink()
        self.assertEqual(run("launch", self.order("exit 0"))[:2], (0, [{"ended": {"code": 0}}]))


class Keep(Lives):
    def keep(self, script):
        self.control, self.record = self.private / "control", self.folder / "record.json"
        order = {"command": command("launch", self.order(script))}
        order.update(control=str(self.control), record=str(self.record))
        # It makes a session of its own, which the leader of a group cannot.
        pipe = subprocess.PIPE
        keeper = subprocess.Popen(command("keep", order), stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.addCleanup(lambda: [stream.close() for stream in (keeper.stdin, keeper.stdout, keeper.stderr)])
        return keeper

    def test_ends_with_pipectl_until_it_is_let_go(self):
        keeper = self.keep("echo '{\"listening\": 1}'; exec sleep 100")
        self.assertEqual(json.loads(keeper.stdout.readline()), {"listening": 1})
        keeper.stdin.close()
        self.assertEqual(keeper.wait(SECONDS), 0)
        self.assertFalse(self.private.exists())

    def test_lives_on_until_it_is_told_to_end(self):
        keeper = self.keep("echo '{\"listening\": 1}'; exec sleep 100")
        keeper.stdout.readline()
        self.record.write_text(json.dumps({"pid": keeper.pid}))
        keeper.stdin.write("keep\n")
        keeper.stdin.close()
        self.assertEqual(keeper.stdout.read(), "")
        self.assertIsNone(keeper.poll())
        self.control.write_bytes(b".")
        self.assertEqual(keeper.wait(SECONDS), 0)
        self.assertFalse(self.record.exists())
        self.assertFalse(self.private.exists())

    def test_leaves_the_record_of_another_one(self):
        keeper = self.keep("exit 0")
        self.record.write_text(json.dumps({"pid": 1}))
        self.assertEqual(keeper.wait(SECONDS), 0)
        self.assertTrue(self.record.exists())


class Sail(Lives):
    def serve(self, server):
        package = self.folder / "site/pysail/spark"
        package.mkdir(parents=True)
        (package.parent / "__init__.py").touch()
        (package / "__init__.py").write_text(server)
        return start("sail", {"site": str(self.folder / "site")})

    def test_says_where_it_listens_and_ends_with_its_input(self):
        server = """
import os
class SparkConnectServer:
    listening_address = ("127.0.0.1", 4711)
    running = True
    def __init__(self, host, port): self.address = (host, port)
    def start(self, background):
        assert self.address == ("127.0.0.1", 0) and background
        assert int(os.environ["SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE"]) > 0
"""
        with self.serve(server) as process:
            self.assertEqual(json.loads(process.stdout.readline()), {"listening": 4711})
            process.stdin.close()
            self.assertEqual(process.wait(SECONDS), 0)

    def test_says_that_it_is_broken(self):
        with self.serve("raise ImportError('no native module')") as process:
            self.assertEqual(json.loads(process.stdout.readline()), {"broken": "no native module"})
            self.assertEqual(process.wait(SECONDS), 1)


class Spark(Lives):
    def arguments(self, java):
        site = self.folder / "site"
        site.mkdir(exist_ok=True)
        (site / "content.json").write_text("{}")
        (self.private / "token").write_text("secret")
        (self.folder / "classes").write_bytes(b"x")
        return [{"site": str(site)}, str(self.private), str(1 << 30), str(self.folder / "classes"), java, "-cp", "x"]

    def test_becomes_java(self):
        script = '#!/bin/sh\necho "{\\"said\\": \\"$* $SPARK_CONNECT_AUTHENTICATE_TOKEN\\"}"\n'
        code, messages, _ = run("spark", *self.arguments(self.write_program("java", script)))
        sharing = f"-XX:SharedArchiveFile={self.folder}/classes"
        self.assertEqual((code, messages), (0, [{"said": f"-Xmx1024m {sharing} -cp x secret"}]))

    def test_says_that_there_is_no_java(self):
        code, messages, _ = run("spark", *self.arguments("/nowhere/java"))
        self.assertEqual(code, 1)
        self.assertIn("/nowhere/java", messages[0]["broken"])

    def test_says_that_jars_are_missing(self):
        arguments = self.arguments("/nowhere/java")
        (self.folder / "site/content.json").write_text('{"spark/jars/a.jar": 1}')
        code, messages, _ = run("spark", *arguments)
        self.assertEqual((code, messages), (1, [{"broken": "`spark/jars/a.jar` is missing"}]))

    def test_java_ends_with_pipectl(self):
        java = self.write_program("java", "#!/bin/sh\necho '{}'\nexec sleep 100\n")
        with start("spark", *self.arguments(java)) as server:
            server.stdout.readline()
            server.stdin.close()
            self.assertEqual(server.wait(SECONDS), -signal.SIGKILL)

    def test_heap_is_a_share_of_the_memory(self):
        self.assertEqual(megabytes_of_heap(0, 8 << 30), 4096)
        self.assertEqual(megabytes_of_heap(2 << 30, 8 << 30), 2048)
        self.assertEqual(megabytes_of_heap(0, 100 << 20), 512)

    def test_an_empty_archive_is_none(self):
        empty = self.folder / "empty"
        self.assertFalse(has_content(empty))
        empty.touch()
        self.assertFalse(has_content(empty))
        empty.write_bytes(b"x")
        self.assertTrue(has_content(empty))


class Classes(Lives):
    JAVA = '#!/bin/sh\nfor it; do case "$it" in -XX:ArchiveClassesAtExit=*) new="${it#*=}";; esac; done\n'

    def make(self, script):
        java = self.write_program("java", self.JAVA + script)
        self.archive = self.folder / "classes.jsa"
        order = {"folder": str(self.private), "program": java, "command": ["server"], "environment": {}}
        return {**order, "dropped": [], "archive": str(self.archive), "prepares": False}

    def test_makes_an_archive_of_a_server_that_was_ready(self):
        order = self.make("trap 'printf classes > \"$new\"; exit' TERM\necho listening\nwhile :; do sleep 0.05; done\n")
        self.assertEqual(run("classes", order)[0], 0)
        self.assertEqual(self.archive.read_text(), "classes")
        self.assertFalse(self.private.exists())

    def test_an_empty_one_says_that_java_makes_none(self):
        self.assertEqual(run("classes", self.make("echo listening\nsleep 0.1\n"))[0], 0)
        self.assertEqual(self.archive.read_bytes(), b"")

    def test_a_server_that_is_never_ready_makes_none(self):
        self.assertEqual(run("classes", self.make("exit 1\n"))[0], 0)
        self.assertFalse(self.archive.exists())
        self.assertFalse(self.private.exists())

    def test_is_given_up_when_pipectl_is_gone(self):
        order = self.make(f"echo $$ > '{self.folder}/pid'\nexec sleep 100\n")
        with start("classes", order) as process:
            self.wait_for(lambda: (self.folder / "pid").exists() and (self.folder / "pid").read_text().strip())
            process.stdin.close()
            process.wait(SECONDS)
        self.assertFalse(self.private.exists())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["java", "pid"])


if __name__ == "__main__":
    unittest.main()
