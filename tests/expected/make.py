"""Works out what the example pipelines must give, in plain SQL: each `NAME.sql` here becomes `NAME.csv`.

The queries are written independently of the pipelines: other joins, other conditions, no variables. They run on a Sail server
of their own through PySpark's client, so nothing of pipectl takes part.

    python3 -m venv venv
    venv/bin/pip install pysail==0.7.2 pyspark-client==4.2.0 'pandas<3'
    venv/bin/python tests/expected/make.py
"""

import csv
import pathlib

from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / "pipelines" / "data"
CUSTOMERS = """
    c_custkey BIGINT, c_name STRING, c_address STRING, c_nationkey BIGINT, c_phone STRING, c_acctbal DECIMAL(15,2),
    c_mktsegment STRING, c_comment STRING
"""


def main() -> None:
    server = SparkConnectServer()
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    for file in sorted(DATA.glob("*.parquet")):
        spark.read.parquet(str(file)).createOrReplaceTempView(file.stem)
    customers = spark.read.csv(str(DATA / "customers.csv"), header=True, escape='"', schema=CUSTOMERS)
    customers.createOrReplaceTempView("customers")
    for query in sorted(HERE.glob("*.sql")):
        result = spark.sql(query.read_text())
        with query.with_suffix(".csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(result.columns)
            rows = result.collect()
            writer.writerows(rows)
        print(f"{query.stem}: {len(rows)} rows")
    spark.stop()
    server.stop()


if __name__ == "__main__":
    main()
