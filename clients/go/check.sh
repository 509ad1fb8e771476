#!/bin/sh
# Static checks of the Go client: generated files, gofmt, vet, staticcheck, tidy modules. Has the requirements of
# generate.sh.
set -eu

cd "$(dirname "$0")"
./generate.sh --check
unformatted=$(gofmt -l .)
if [ -n "$unformatted" ]; then
    echo "not formatted by gofmt: $unformatted" >&2
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
