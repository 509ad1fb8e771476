#!/bin/sh
# Judges the Go client by what programs can: fresh stubs, form, vet, staticcheck, tidy modules. Needs what
# generate.sh needs.
set -eu

cd "$(dirname "$0")"
./generate.sh --check
unformed=$(gofmt -l .)
if [ -n "$unformed" ]; then
    echo "not in gofmt's form: $unformed" >&2
    exit 1
fi
go build -C tools -o ../bin/ honnef.co/go/tools/cmd/staticcheck
for module in . tools; do
    (
        staticcheck=$PWD/bin/staticcheck
        cd "$module"
        go vet ./...
        "$staticcheck" -checks all ./...
        go mod tidy -diff
    )
done
