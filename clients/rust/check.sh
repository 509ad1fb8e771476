#!/bin/sh
# All that a change of the crate must pass: fresh generated sources, format, lints, tests.
set -eu
cd "$(dirname "$0")"
./generate.sh --check
cargo fmt --all --check
cargo clippy --quiet --workspace --all-targets -- -D warnings
cargo test --quiet --workspace
