#!/bin/sh
# Prints the Python that shall run tools/bootstrap.py, called from the repository's root:
# $PYTHON if it is set, else .venv's own, else the first on PATH that is 3.11 or newer.

suits() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    if suits "$PYTHON"; then
        printf '%s\n' "$PYTHON"
        exit 0
    fi
    printf 'PYTHON=%s is not a Python 3.11 or newer.\n' "$PYTHON" >&2
    exit 1
fi

for python in .venv/bin/python python3.11 python3.12 python3.13 python3.14 python3 python; do
    if suits "$python"; then
        printf '%s\n' "$python"
        exit 0
    fi
done
echo 'Python 3.11 or newer is needed, and none is on PATH: install one, or name yours with make PYTHON=/path/to/python3 …' >&2
exit 1
