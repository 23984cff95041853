"""Writes a pipeline of N steps of 12 lines: `python3 generate.py N > pipeline.yaml`.

A mix of what real files have: reads, filters, new columns, joins, aggregates, queries, expectations, outputs, variables.
Each step refers to the one before it in its group of eight, so that references grow linearly with the file.
"""

import sys

HEAD = """\
version: 1
name: generated
vars:
  date: { type: date, default: 2026-01-31 }
  least: 10
steps:
"""

KINDS = [
    """\
  orders_{n}:
    description: orders of partition {n}, as they come from the shop
    read:
      format: csv
      path: data/orders/{n}/*.csv
      schema: id BIGINT, customer BIGINT, day DATE, price DECIMAL(12,2)
      options:
        header: true
        sep: ";"
    transform:
      - filter: day <= ${{date}}

""",
    """\
  priced_{n}:
    from: orders_{a}
    transform:
      - filter: price IS NOT NULL AND price >= ${{least}}
      - with_columns:
          gross: price * 1.2
          month: date_trunc('month', day)
      - drop: [day]
    expect:
      - not_null: [id, customer]
      - that: gross >= price

""",
    """\
  customers_{n}:
    read: {{ format: parquet, path: data/customers.parquet }}
    transform:
      - select:
          - id AS customer
          - upper(name) AS name
          - coalesce(segment, 'none') AS segment
      - distinct
    tags: [daily, customers]
    expect:
      - not_null: customer

""",
    """\
  joined_{n}:
    from: priced_{b}
    transform:
      - join:
          with: customers_{a}
          on: priced_{b}.customer = customers_{a}.customer
          how: left
      - select:
          - priced_{b}.customer
          - gross
          - segment

""",
    """\
  by_segment_{n}:
    from: joined_{a}
    transform:
      - aggregate:
          by: [segment]
          columns:
            revenue: sum(gross)
            orders: count(*)
      - sort: [revenue DESC, segment]
    write:
      parquet: out/by_segment_{n}.parquet

""",
    """\
  query_{n}:
    sql: |
      SELECT segment, sum(revenue) AS revenue
      FROM by_segment_{a}
      WHERE revenue > ${{least}}
        AND segment <> 'none'
      GROUP BY segment
    transform:
      - limit: 100
    write:
      - parquet: out/${{date}}/query_{n}.parquet

""",
    """\
  renamed_{n}:
    from: query_{a}
    transform:
      - rename:
          segment: market
          revenue: total
      - cast:
          total: decimal(14,2)
      - filter: total > 0
    expect:
      - not_null: [market]

""",
    """\
  all_{n}:
    from: renamed_{a}
    transform:
      - union:
          with: renamed_{a}
          by: name
      - sort: total DESC NULLS LAST
      - limit: 10
    write:
      - parquet: out/all_{n}.parquet
      - parquet: {{ path: out/again_{n}.parquet, mode: error }}

""",
]


def main() -> None:
    steps = int(sys.argv[1])
    write = sys.stdout.write
    write(HEAD)
    for n in range(steps):
        write(KINDS[n % len(KINDS)].format(n=n, a=n - 1, b=n - 2))


if __name__ == "__main__":
    main()
