# Shortcuts for what CONTRIBUTING.md describes; each is one command that also works without just.

set shell := ["bash", "-euo", "pipefail", "-c"]

# List the recipes
default:
    @just --list

# Check format, lints, types and documentation, without running anything
check:
    .ci/lint
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --locked

# Run the tests of a tier: inner, sail, spark, faults or all
test tier="inner":
    @{{ just_executable() }} test-{{ tier }}

[private]
test-inner:
    cargo inner

[private]
test-sail:
    cargo test --locked --test it on_sail::

[private]
test-spark:
    cargo test --locked --test it on_spark::

[private]
test-faults:
    cargo test --locked --test it faults::

[private]
test-all:
    cargo test --locked

# Regenerate schemas, reference and snapshots
bless:
    .ci/bless

# Find words that pipectl does not use; `just words --shrink` shortens the list of old places
words *arguments:
    .ci/words {{ arguments }}

# Measure each stage, and the run from a server that costs nothing
bench:
    cargo bench --profile dist --locked --features bench
    cargo build --profile dist --locked --bin pipectl
    cargo build --profile dist --locked --example prepared --features bench
    python3 benches/prepared/measure.py

# Run the nightly programs within a budget of minutes
nightly minutes="120":
    .ci/nightly --minutes {{ minutes }}

# Build the wheel and run README's pipeline from it
wheel:
    cargo build --release --locked
    .ci/wheel

# Run everything that must hold before a change lands
ci:
    .ci/run
