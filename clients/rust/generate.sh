#!/bin/sh
# Makes the generated sources from the contract; with --check, only says what is not fresh (exit status 1).
# Needs the project's .venv, for buf.
set -eu
cd "$(dirname "$0")"
contract=$(mktemp)
trap 'rm -f "$contract"' EXIT
${BUF:-../../.venv/bin/buf} build ../../proto -o "$contract#format=binpb"
cargo run --quiet -p generate -- "$contract" "$@"
