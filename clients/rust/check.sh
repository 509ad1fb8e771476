#!/bin/sh
# Checks of the crate: generated sources, format, lints, tests.
set -eu
cd "$(dirname "$0")"
./generate.sh --check
cargo fmt --all --check
cargo clippy --quiet --workspace --all-targets -- -D warnings
cargo test --quiet --workspace
