"""What programs find out about the machine, the environment and themselves."""

import json
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from pipectl_engine.environment import environment_of_engine
from pipectl_engine.memory import memory
from program import run

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


class Memory(unittest.TestCase):
    def memory_with(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return memory(Path(folder))

    def test_is_the_machines_where_nobody_limits_it(self):
        self.assertEqual(self.memory_with({}), MACHINE)
        self.assertEqual(self.memory_with({"sys/fs/cgroup/memory.max": "max\n"}), MACHINE)

    def test_is_the_limit_of_a_container(self):
        self.assertEqual(self.memory_with({"sys/fs/cgroup/memory.max": "1000000\n"}), 1_000_000)
        self.assertEqual(self.memory_with({"sys/fs/cgroup/memory/memory.limit_in_bytes": "7\n"}), 7)

    def test_is_the_least_of_all_groups(self):
        second = {
            "proc/self/cgroup": "0::/user.slice/a\n",
            "sys/fs/cgroup/memory.max": "9000",
            "sys/fs/cgroup/user.slice/a/memory.max": "5000",
        }
        self.assertEqual(self.memory_with(second), 5000)
        first = {
            "proc/self/cgroup": "4:cpu:/b\n5:memory:/a:b\n",
            "sys/fs/cgroup/memory/a:b/memory.limit_in_bytes": "3000",
        }
        self.assertEqual(self.memory_with(first), 3000)


class Environment(unittest.TestCase):
    def test_drops_by_prefix_and_adds(self):
        variables = {"PATH": "/bin", "SPARK_HOME": "/x", "PYTHONPATH": "/y", "AWS_REGION": "eu"}
        with mock.patch.dict(os.environ, variables, clear=True):
            found = environment_of_engine({"SPARK_LOCAL_IP": "127.0.0.1"}, ["SPARK_", "PYTHON"])
        self.assertEqual(found, {"PATH": "/bin", "AWS_REGION": "eu", "SPARK_LOCAL_IP": "127.0.0.1"})


class Probe(unittest.TestCase):
    def test_describes_the_interpreter_behind_an_environment(self):
        code, messages, errors = run("probe")
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(messages[0]["version"], list(sys.version_info[:3]))
        self.assertEqual(messages[0]["executable"], sys._base_executable)
        self.assertIsInstance(json.dumps(messages[0]["free_threaded"]), str)
        self.assertIs(messages[0]["free_threaded"], False)


if __name__ == "__main__":
    unittest.main()
