"""Collects a query with the PySpark client and writes it: `pyspark_client.py REMOTE QUERY OUT`.

Says how many rows there were.
"""

import os
import pathlib
import sys

import pyarrow.parquet
from pyspark.sql import SparkSession


def main() -> None:
    remote, query, out = sys.argv[1:]
    spark = SparkSession.builder.remote(remote).getOrCreate()
    table = spark.sql(pathlib.Path(query).read_text()).toArrow()
    with pathlib.Path(out).open("wb") as file:
        pyarrow.parquet.write_table(table, file, compression="zstd", compression_level=1)
        # pipectl's file is on the disk when it says so; this one too.
        file.flush()
        os.fsync(file.fileno())
    print(table.num_rows)
    spark.stop()


if __name__ == "__main__":
    main()
