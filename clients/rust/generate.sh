#!/bin/sh
# Generates the sources from the contract. With --check, only lists outdated files (exit status 1 if there are any).
# Requires the repository's .venv for buf.
set -eu
cd "$(dirname "$0")"
contract=$(mktemp)
trap 'rm -f "$contract"' EXIT
${BUF:-../../.venv/bin/buf} build ../../proto -o "$contract#format=binpb"
cargo run --quiet -p generate -- "$contract" "$@"
