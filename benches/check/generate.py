"""Prints a pipeline of so many steps, of most kinds, with an output for each tenth: `generate.py STEPS`."""

import sys


def step(at: int) -> str:
    before = at - 1
    return [
        f"from: s{before}\n    transform: [aggregate: {{ by: [id], columns: {{ n: count(*) }} }}]",
        f"from: s{before}\n    transform: [with_columns: {{ v{at}: id * {at} }}, filter: v{at} > 1]",
        f"from: s{before}\n    transform: [select: [id], distinct]",
        f"from: s{before}\n    transform: [join: {{ with: s{at // 2}, using: [id], how: semi }}]",
        f"sql: SELECT id, id + 1 AS next FROM s{before} WHERE id > {at}",
    ][at % 5]


def main() -> None:
    steps = int(sys.argv[1])
    print("version: 1\nsteps:\n  s0: { range: 1000 }")
    for at in range(1, steps):
        print(f"  s{at}:\n    {step(at)}")
        if at % 10 == 9 or at + 1 == steps:
            print(f"    write: {{ parquet: out/s{at}.parquet }}")


if __name__ == "__main__":
    main()
