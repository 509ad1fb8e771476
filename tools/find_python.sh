#!/bin/sh
# Prints the Python that runs tools/bootstrap.py. Called from the root of the repository.
# $PYTHON if it is set, otherwise that of .venv, otherwise the first on PATH that is 3.11 or newer.

is_supported() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    if is_supported "$PYTHON"; then
        printf '%s\n' "$PYTHON"
        exit 0
    fi
    printf 'PYTHON=%s is not Python 3.11 or newer.\n' "$PYTHON" >&2
    exit 1
fi

for python in .venv/bin/python python3.11 python3.12 python3.13 python3.14 python3 python; do
    if is_supported "$python"; then
        printf '%s\n' "$python"
        exit 0
    fi
done
echo 'Python 3.11 or newer was not found on PATH. Install it, or pass its path: make PYTHON=/path/to/python3 …' >&2
exit 1
