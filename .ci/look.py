"""Reads a Parquet file that pipectl wrote and compares it with numbers worked out in another way."""

import csv
import sys
from decimal import Decimal
from pathlib import Path

from pyarrow import parquet

path, expected = Path(sys.argv[1]), Path(sys.argv[2]) / "by_segment.csv"
table = parquet.read_table(path)
found = [tuple(row.values()) for row in table.to_pylist()]
with expected.open() as file:
    rows = list(csv.reader(file))[1:]
wanted = [(segment, Decimal(revenue), int(orders)) for segment, revenue, orders in rows]
print(table.schema)
for row in found:
    print(row)
assert found == wanted, f"expected {wanted}"
print(f"{path}: {len(found)} rows, as expected")
