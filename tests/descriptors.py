"""Writes the Spark Connect protocol that PySpark carries into `tests/protocol`, as a FileDescriptorSet: `python3 tests/descriptors.py`.

It is run by hand, where another release is to be compared with: change the pin below, which is that of `src/engine/spark.rs`. PySpark's
modules hold the serialized description of each protocol file as a literal, without comments and places, so nothing of PySpark is run.
"""

import ast
import json
import pathlib
import subprocess
import sys
import tempfile

VERSION = "4.3.0"
BYTES = 455_910_862
SHA256 = "e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6"

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = ROOT / "tests/protocol" / f"pyspark-{VERSION}.descriptors.binpb"


def main():
    with tempfile.TemporaryDirectory() as folder:
        fetch(folder)
        modules = sorted(pathlib.Path(folder, "site/proto").glob("*_pb2.py"))
        files = [description for path in modules for description in descriptions(path)]
    if not files:
        sys.exit("the archive has no descriptions")
    # Field 1 of the set, of the wire type that has a length.
    FILE.write_bytes(b"".join(b"\x0a" + varint(len(description)) + description for description in files))
    print(f"{FILE.relative_to(ROOT)}: {len(files)} files of the protocol")


def fetch(folder):
    """Takes the modules out of the source distribution, by the script that takes the engine's jars out of it."""
    order = {
        "folder": folder,
        "requirements": "",
        "files": {},
        "proof": "pass",
        "archives": [
            {
                "name": f"pyspark-{VERSION}.tar.gz",
                "project": "pyspark",
                "bytes": BYTES,
                "sha256": SHA256,
                "members": [[f"pyspark-{VERSION}/pyspark/sql/connect/proto/", "proto/"]],
            }
        ],
    }
    script = (ROOT / "src/engine/install.py").read_text()
    # It ends when its standard input does, so that stays open; and it ends its process group, which is its own.
    installer = subprocess.Popen(
        [sys.executable, "-I", "-c", script, json.dumps(order)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    last = installer.stdout.read().splitlines()[-1]
    if "done" not in json.loads(last):
        sys.exit(last)


def descriptions(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
            yield node.args[0].value


def varint(number):
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


main()
