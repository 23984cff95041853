#!/bin/sh
# Makes the example data: the tables of TPC-H at scale factor 0.01, the same bytes every time.
#
# It needs Python 3 and the network, for the generator from PyPI. Customers are CSV, so that the examples also show how to read
# data that has no types of its own; everything else is Parquet.
set -eu
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet tpchgen-cli==4.0.0

generate() {
    format=$1
    tables=$2
    shift 2
    "$work/venv/bin/tpchgen-cli" "$format" --quiet --scale-factor 0.01 --num-threads 1 --overwrite \
        --tables "$tables" --output-dir "$work" "$@"
}
generate parquet orders,lineitem,supplier,part,partsupp,nation,region --compression 'ZSTD(9)'
generate csv customer

mv "$work/customer.csv" customers.csv
mv "$work"/*.parquet .
