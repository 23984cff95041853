"""Writes the Spark Connect protocol that PySpark carries, as a FileDescriptorSet: `descriptors.py FOLDER` > FILE, with its folder `proto`.

PySpark's modules hold the serialized description of each protocol file as a literal, so nothing of PySpark is run.
"""

import ast
import pathlib
import sys


def main():
    folder = pathlib.Path(sys.argv[1])
    files = [description for path in sorted(folder.glob("*_pb2.py")) for description in descriptions(path)]
    if not files:
        sys.exit(f"no descriptions in {folder}")
    for description in files:
        # Field 1 of the set, of the wire type that has a length.
        sys.stdout.buffer.write(b"\x0a" + varint(len(description)) + description)


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
