"""What is fetched for an installation, from where, and what is taken of it."""

import base64
import hashlib
import http.server
import io
import json
import os
import stat
import tarfile
import tempfile
import threading
import unittest
import zipfile
from pathlib import Path
from unittest import mock

from pipectl_engine import archive, index, wheels
from pipectl_engine.failure import InstallError
from program import run, start


def tar(files):
    """A source distribution with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text))
        link = tarfile.TarInfo("tiny-1.0/jars/link.jar")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    return buffer.getvalue()


class PackageIndex(http.server.ThreadingHTTPServer):
    """An index with one file, which may send it in pieces, and may want a login."""

    def __init__(self, name, content, piece=None, login=None):
        super().__init__(("127.0.0.1", 0), Answers)
        self.name, self.content, self.piece, self.login, self.asked = name, content, piece, login, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, login=""):
        return f"http://{login}127.0.0.1:{self.server_address[1]}/simple"


class Answers(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Nobody reads it."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        wanted = self.server.login and "Basic " + base64.b64encode(self.server.login.encode()).decode()
        if wanted and self.headers.get("Authorization") != wanted:
            self.send_error(401)
        elif self.path.startswith("/simple/tiny/"):
            self.answer(200, f'<a>none</a><a href="../../files/{self.server.name}#sha256=x">it</a>'.encode())
        elif self.path.startswith("/files/"):
            begin = int((self.headers.get("Range") or "bytes=0-")[6:-1])
            content = self.server.content[begin:]
            self.answer(206 if begin else 200, content, content[: self.server.piece])
        else:
            self.send_error(404)

    def answer(self, status, announced, sent=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(announced)))
        self.end_headers()
        self.wfile.write(announced if sent is None else sent)


class Archives(unittest.TestCase):
    NAME = "tiny-1.0.tar.gz"
    MEMBERS = (("tiny-1.0/jars/", "jars/"), ("tiny-1.0/LICENSE", "LICENSE"))

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        noise = os.urandom(5_000)
        files = {"tiny-1.0/jars/a.jar": noise, "tiny-1.0/jars/deep/b.jar": b"", "tiny-1.0/LICENSE": b"free"}
        self.content = tar({**files, "tiny-1.0/setup.py": b"raise SystemExit"})
        self.noise = noise

    def described(self, **other):
        digest = hashlib.sha256(self.content).hexdigest()
        described = {"name": self.NAME, "project": "tiny", "bytes": len(self.content), "sha256": digest}
        return {**described, "members": self.MEMBERS, **other}

    def environment(self, server, login=""):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        kept.update(PIP_INDEX_URL=server.url(login), PIP_CONFIG_FILE="/dev/null", PIP_RETRIES="1")
        return {**kept, "no_proxy": "127.0.0.1"}

    def index(self, **settings):
        server = PackageIndex(self.NAME, self.content, **settings)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def unpack(self, server, login="", **other):
        with mock.patch.dict(os.environ, self.environment(server, login), clear=True):
            return archive.unpack(self.described(**other), self.folder, index.Index(configured=False))

    def test_takes_the_wanted_members_alone(self):
        self.assertEqual(self.unpack(self.index()), {"jars/a.jar": 5_000, "LICENSE": 4})
        self.assertEqual((self.folder / "jars/a.jar").read_bytes(), self.noise)
        self.assertEqual(sorted(path.name for path in self.folder.rglob("*")), ["LICENSE", "a.jar", "jars"])

    def test_goes_on_where_the_connection_broke(self):
        server = self.index(piece=2_000)
        self.assertEqual(self.unpack(server)["jars/a.jar"], 5_000)
        ranges = [asked for path, asked in server.asked if path.startswith("/files/")]
        self.assertEqual(ranges[:3], [None, "bytes=2000-", "bytes=4000-"])

    def test_refuses_another_hash(self):
        with self.assertRaises(InstallError) as raised:
            self.unpack(self.index(), sha256="0" * 64)
        self.assertEqual(raised.exception.why, "hash")

    def test_takes_a_login_along(self):
        server = self.index(login="ann:s3:cret")
        self.assertEqual(self.unpack(server, "ann:s3%3Acret@")["LICENSE"], 4)
        with self.assertRaises(InstallError) as raised:
            self.unpack(server, "ann:wrong@")
        self.assertNotIn("wrong", raised.exception.detail)

    def test_an_installation_tells_what_it_does(self):
        order = {"folder": str(self.folder), "requirements": "", "archives": [self.described()], "files": {"b/c": "d"}}
        code, messages, errors = run("install", order, environment=self.environment(self.index()))
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(list(messages[-1]), ["done"])
        self.assertEqual((self.folder / "site/b/c").read_text(), "d")
        content = json.loads((self.folder / "site/content.json").read_text())
        self.assertEqual(content, {"jars/a.jar": 5_000, "LICENSE": 4})

    def test_an_installation_says_why_it_failed(self):
        server = self.index()
        environment = self.environment(server)
        order = {"folder": str(self.folder), "requirements": "", "archives": [self.described(name="none.tar.gz")]}
        _, messages, _ = run("install", order, environment=environment)
        self.assertEqual(messages[-1]["failed"]["why"], "download")
        _, messages, _ = run("install", {"reach": "tiny"}, environment=environment)
        self.assertEqual(messages, [{"done": {"bytes": 0}}])
        environment["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"
        _, messages, _ = run("install", {"reach": "tiny"}, environment=environment)
        self.assertEqual(messages[0]["failed"]["why"], "download")

    def test_an_installation_ends_with_pipectl(self):
        # It takes connections and says nothing.
        silent = http.server.HTTPServer(("127.0.0.1", 0), Answers)
        self.addCleanup(silent.server_close)
        environment = {**os.environ, "PIP_INDEX_URL": f"http://127.0.0.1:{silent.server_address[1]}/simple"}
        with start("install", {"reach": "tiny"}, environment=environment) as installer:
            installer.stdin.close()
            self.assertEqual(installer.wait(10), -9)


class Index(unittest.TestCase):
    def settings(self, **variables):
        with mock.patch.dict(os.environ, {f"PIP_{name}": value for name, value in variables.items()}, clear=True):
            return index.Index(configured=False)

    def test_is_the_one_that_pip_is_set_to_use(self):
        self.assertEqual(self.settings().indexes, [index.DEFAULT_INDEX])
        found = self.settings(
            INDEX_URL="http://a/simple", EXTRA_INDEX_URL="http://b http://c", TIMEOUT="7", RETRIES="2"
        )
        self.assertEqual(found.indexes, ["http://a/simple", "http://b", "http://c"])
        self.assertEqual((found.timeout, found.retries), (7.0, 2))
        self.assertEqual(self.settings(NO_INDEX="true").indexes, [])

    def test_files_at_hand_come_first(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder).resolve() / "tiny.tar.gz"
            path.touch()
            found = self.settings(FIND_LINKS=folder, NO_INDEX="1")
            links = list(found.links({"name": "tiny.tar.gz", "project": "tiny"}))
            self.assertEqual([url for _, url in links], [path.as_uri()])

    def test_secrets_of_addresses_are_not_told(self):
        self.assertEqual(index.address("https://ann:pw@host:1/a?b"), "https://host:1/a?b")
        self.assertEqual(index.with_login("https://h/x", "https://ann:pw@h/y"), "https://ann:pw@h/x")
        self.assertEqual(index.with_login("https://other/x", "https://ann:pw@h/y"), "https://other/x")


class Wheels(unittest.TestCase):
    def test_the_reason_is_in_what_pip_writes(self):
        for log, why, detail in (
            ("", "download", "pip says nothing"),
            ("ERROR: Could not install: [Errno 28] No space left on device", "disk_full", "No space left"),
            ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "hash", "another hash"),
            ("WARNING: Retrying (Retry(total=0)) after connection broken\nERROR: No matching", "download", "Retrying"),
            ("ERROR: No matching distribution found for pysail", "no_wheel", "No matching distribution"),
            ("Traceback\nERROR: " + "x" * 400, "download", "x" * 300 + "..."),
        ):
            failure = wheels.pip_failure(log)
            self.assertEqual(failure.why, why, log)
            self.assertIn(detail, failure.detail)

    def test_programs_may_be_run_and_files_may_not(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "tiny.whl")
            with zipfile.ZipFile(path, "w") as packed:
                for name, mode in (("bin/java", 0o755), ("lib/a.so", 0o644)):
                    member = zipfile.ZipInfo(name)
                    member.external_attr = (stat.S_IFREG | mode) << 16
                    packed.writestr(member, "")
            with zipfile.ZipFile(path) as packed:
                packed.extractall(folder)
                wheels.allow_programs(packed, Path(folder))
            self.assertTrue(os.access(Path(folder, "bin/java"), os.X_OK))
            self.assertEqual(Path(folder, "lib/a.so").stat().st_mode & 0o111, 0)

    def test_a_hash_is_that_of_the_whole_file(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x" * (3 << 20))
            file.flush()
            self.assertEqual(wheels.sha256(Path(file.name)), hashlib.sha256(b"x" * (3 << 20)).hexdigest())


if __name__ == "__main__":
    unittest.main()
