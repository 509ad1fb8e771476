#!/bin/sh
# Generates the Go stubs from the contract, and copies its service config.
#
#     ./generate.sh            write the files that have changed
#     ./generate.sh --check    write nothing; list outdated files and exit with status 1 if there are any
#
# Requires Go, and the repository's .venv (`make setup` at its root) for protoc. The plugins are pinned in tools/go.mod,
# because their output is committed. The contract does not set a Go package; it is derived from go.mod, so forks can
# rename the module.
set -eu

cd "$(dirname "$0")"
client=$PWD
module=$(go list -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/raw" "$work/fresh" "$work/fresh/twofactorv1"

go build -C tools -o "$work/bin/" google.golang.org/protobuf/cmd/protoc-gen-go \
    google.golang.org/grpc/cmd/protoc-gen-go-grpc ./protoc-gen-go-printing

cd ../../proto
options="module=$module"
for name in twofactor/v1/*.proto; do
    options="$options,M$name=$module/twofactorv1"
done
set -- "${1-}" # protoc's arguments are appended to the mode
for plugin in go go-grpc go-printing; do
    set -- "$@" "--plugin=$work/bin/protoc-gen-$plugin" "--${plugin}_opt=$options" "--${plugin}_out=$work/raw"
done
mode=$1
shift
../.venv/bin/python -m grpc_tools.protoc --proto_path=. "$@" twofactor/v1/*.proto

# The generated String methods show secrets; text in printing.go does not.
for path in "$work"/raw/twofactorv1/*.pb.go; do
    sed 's/protoimpl\.X\.MessageStringOf(x)/text(x)/' "$path" >"$work/fresh/twofactorv1/$(basename "$path")"
done
cp twofactor/v1/service_config.json "$work/fresh/"

generated() {
    (cd "$1" && find twofactorv1 -name '*.pb.go' && find . -maxdepth 1 -name service_config.json)
}
stale=0
for name in $( (generated "$work/fresh" && generated "$client") | sed 's|^\./||' | sort -u); do
    if cmp -s "$work/fresh/$name" "$client/$name"; then
        continue
    fi
    stale=1
    if [ "$mode" = --check ]; then
        echo "out of date (run clients/go/generate.sh): clients/go/$name" >&2
    elif [ -f "$work/fresh/$name" ]; then
        mv "$work/fresh/$name" "$client/$name"
        echo "wrote $name"
    else
        rm "$client/$name"
        echo "removed $name"
    fi
done
[ "$mode" != --check ] || exit $stale
