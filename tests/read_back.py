"""Reads outputs of pipectl with readers that are not pipectl's, and compares them value by value.

Parquet and Arrow are read by pyarrow, CSV and NDJSON by Python's own modules. What the files must hold stands below,
in Python's words, and is worked out nowhere.

    read_back.py types FOLDER ROWS    every file and folder in FOLDER holds the first ROWS of the rows below
    read_back.py numbers ROWS PATH…   each PATH holds the numbers from 0 on, each once, beside what follows from them
"""

import csv
import gzip
import io
import json
import math
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

COLUMNS = {
    "k": [1, 2, 3],
    "boolean": [True, None, False],
    "tinyint": [127, None, -128],
    "smallint": [32767, None, -32768],
    "int": [2147483647, None, -2147483648],
    "bigint": [9223372036854775807, None, -9223372036854775808],
    "float": [0.5, None, float("-inf")],
    "double": [0.1, None, float("nan")],
    "decimal": [Decimal("1.50"), None, Decimal("-0.01")],
    "decimal_wide": [Decimal("1234567890123456789012345678.0123456789"), None, Decimal("-1.0000000000")],
    "string": ['a, "b"\nc\r', None, ""],
    "unicode": ["日本 é 🦀", None, "\t"],
    "binary": [b"\x00\xff", None, b""],
    "date": [date(2026, 1, 31), None, date(1, 1, 1)],
    "timestamp": [
        datetime(2026, 1, 31, 11, 0, 0, 123456, timezone.utc),
        None,
        datetime(1970, 1, 1, tzinfo=timezone.utc),
    ],
    "timestamp_ntz": [datetime(2026, 1, 31, 12, 0, 0, 500000), None, datetime(1969, 12, 31, 23, 59, 59, 999999)],
    "day_time": [timedelta(days=1, hours=2, minutes=3, seconds=4, microseconds=500000), None, timedelta(seconds=-1)],
    "list": [[1, None, 3], None, []],
    "map": [{"a": 1, "b": None}, None, {}],
    "struct": [{"x": 1, "y": "a\n"}, None, {"x": None, "y": None}],
    "nested": [[{"m": {"a": [Decimal("1.0")]}}], None, [None]],
    "void": [None, None, None],
}


def is_nan(value):
    return isinstance(value, float) and math.isnan(value)


def duration(text):
    """An ISO 8601 duration of days and less."""
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    assert text.startswith("P"), text
    days, _, clock = text[1:].partition("T")
    total = timedelta(days=int(days.rstrip("D") or 0))
    number = ""
    for character in clock:
        if character in "HMS":
            unit = {"H": "hours", "M": "minutes", "S": "seconds"}[character]
            total += timedelta(**{unit: float(number)})
            number = ""
        else:
            number += character
    return sign * total


def is_json(expected, found):
    """Whether a value of JSON, its numbers read as decimals, is what is expected."""
    if expected is None or isinstance(expected, bool):
        return found is expected
    if isinstance(expected, (list, dict)):
        if type(found) is not type(expected) or len(found) != len(expected):
            return False
        if isinstance(expected, list):
            return all(map(is_json, expected, found))
        return list(expected) == list(found) and all(is_json(expected[key], found[key]) for key in expected)
    if isinstance(expected, float) and (is_nan(expected) or expected in (float("inf"), float("-inf"))):
        return isinstance(found, str) and is_text(expected, found)
    if isinstance(expected, (int, float, Decimal)):
        return isinstance(found, Decimal) and is_text(expected, str(found))
    return isinstance(found, str) and is_text(expected, found)


def is_text(expected, text):
    """Whether a text in the dialect of CSV says what is expected."""
    if expected is None:
        return text == ""
    if isinstance(expected, bool):
        return text == str(expected).lower()
    if isinstance(expected, (list, dict)):
        return is_json(expected, json.loads(text, parse_int=Decimal, parse_float=Decimal))
    if isinstance(expected, float):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(str(expected), text) == text and (
            is_nan(expected) or float(text) == expected
        )
    if isinstance(expected, Decimal):
        # All digits: 1.50 is not 1.5.
        return Decimal(text).as_tuple() == expected.as_tuple()
    if isinstance(expected, bytes):
        return text == expected.hex()
    if isinstance(expected, datetime):
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return found == expected and (found.tzinfo is None) == (expected.tzinfo is None)
    if isinstance(expected, timedelta):
        return duration(text) == expected
    if isinstance(expected, date):
        return text == expected.isoformat()
    return text == str(expected)


def is_value(expected, found):
    """Whether pyarrow found what is expected."""
    if is_nan(expected):
        return is_nan(found)
    if isinstance(expected, dict) and isinstance(found, list):
        return is_value(list(expected.items()), found)
    if isinstance(expected, (list, tuple)):
        return isinstance(found, (list, tuple)) and len(found) == len(expected) and all(map(is_value, expected, found))
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and list(found) == list(expected)
            and all(is_value(expected[key], found[key]) for key in expected)
        )
    if isinstance(expected, datetime):
        return found == expected and (found.tzinfo is None) == (expected.tzinfo is None)
    if isinstance(expected, Decimal):
        return isinstance(found, Decimal) and found.as_tuple() == expected.as_tuple()
    return type(found) is type(expected) and found == expected


def text_of(path):
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="").read()
    if path.suffix == ".zst":
        with pyarrow.CompressedInputStream(pyarrow.OSFile(str(path)), "zstd") as stream:
            return stream.read().decode("utf-8")
    return path.read_bytes().decode("utf-8")


def kind_of(path):
    return path.name.removesuffix(".gz").removesuffix(".zst").rpartition(".")[2]


def read(path):
    """The columns' names, the rows, and how a value is compared."""
    kind = kind_of(path)
    if kind == "csv":
        delimiter = "\t" if "tabs" in str(path) else ","
        rows = list(csv.reader(io.StringIO(text_of(path), newline=""), delimiter=delimiter, strict=True))
        names = None if "headless" in str(path) else rows.pop(0)
        return names, rows, is_text
    if kind == "ndjson":
        lines = text_of(path).split("\n")
        assert lines.pop() == "", "the last line has an end"
        objects = [json.loads(line, parse_int=Decimal, parse_float=Decimal) for line in lines]
        return list(objects[0]) if objects else None, [list(it.values()) for it in objects], is_json
    if kind == "parquet":
        # A file beside others may lie in a folder whose name says a column.
        table = pyarrow.parquet.ParquetFile(path).read()
    elif kind == "arrow":
        table = pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()
    else:
        assert kind == "arrows", path
        table = pyarrow.ipc.open_stream(pyarrow.memory_map(str(path))).read_all()
    table.validate(full=True)
    columns = [column.to_pylist() for column in table.columns]
    return table.column_names, [list(row) for row in zip(*columns, strict=True)], is_value


def read_all(path):
    """The same of a file or of all files of a folder, with what the folders' names say."""
    if path.is_file():
        return read(path)
    names, rows, compare = None, [], None
    files = sorted(it for it in path.rglob("*") if it.is_file())
    assert files, f"{path} has no files"
    for file in files:
        names, found, compare = read(file)
        said = [folder.name.split("=") for folder in file.parents if "=" in folder.name]
        assert [name for name, _ in said] in ([], ["k"]), said
        said = [
            Decimal(value) if compare is is_json else value if compare is is_text else int(value) for _, value in said
        ]
        rows += [said + row for row in found]
        names = (["k"] if said else []) + names if names else None
    return names, rows, compare


def check_types(folder, count):
    outputs = sorted(it for it in folder.iterdir() if not it.name.startswith("."))
    assert len(outputs) > 10, outputs
    for path in outputs:
        names, rows, compare = read_all(path)
        assert names is None or names == list(COLUMNS), f"{path}: {names}"
        assert len(rows) == count, f"{path}: {len(rows)} rows"
        for at, row in enumerate(rows):
            assert len(row) == len(COLUMNS), f"{path}: {row}"
            for (name, values), found in zip(COLUMNS.items(), row, strict=True):
                assert compare(values[at], found), f"{path}: row {at}, `{name}`: {values[at]!r} is {found!r}"
    print(f"{len(outputs)} outputs, {len(outputs) * count * len(COLUMNS)} values")


def numbers(path):
    """The pairs that a file has, one batch or one row after the other."""
    kind = kind_of(path)
    if kind == "parquet":
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches():
            yield from zip(*(batch.column(name).to_pylist() for name in ("id", "text")), strict=True)
    elif kind == "arrow":
        reader = pyarrow.ipc.open_file(pyarrow.memory_map(str(path)))
        for at in range(reader.num_record_batches):
            yield from zip(*(reader.get_batch(at).column(name).to_pylist() for name in ("id", "text")), strict=True)
    elif kind == "csv":
        with path.open(newline="") as file:
            yield from ((int(row["id"]), row["text"]) for row in csv.DictReader(file))
    else:
        with path.open() as file:
            yield from ((it["id"], it["text"]) for it in map(json.loads, file))


def check_numbers(count, paths):
    for path in paths:
        seen = bytearray(count)
        files = [path] if path.is_file() else sorted(it for it in path.rglob("*") if it.is_file())
        for file in files:
            group = next((int(it.name.partition("=")[2]) for it in file.parents if "=" in it.name), None)
            for number, text in numbers(file):
                assert not seen[number], f"{file}: {number} twice"
                seen[number] = 1
                assert text == f"row {number}", f"{file}: {number} has {text!r}"
                assert group is None or number % 100 == group, f"{file}: {number}"
        assert sum(seen) == count, f"{path}: {sum(seen)} rows"
        print(f"{path.name}: {len(files)} files, {count} rows")


if sys.argv[1] == "types":
    check_types(Path(sys.argv[2]), int(sys.argv[3]))
else:
    check_numbers(int(sys.argv[2]), [Path(it) for it in sys.argv[3:]])
