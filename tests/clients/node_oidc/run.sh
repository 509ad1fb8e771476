#!/bin/sh
# Installs the provider for Node as its lock says, and asks it. Arguments are handed on to pytest.
set -eu
cd "$(dirname "$0")/../../.."

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    if [ "${REQUIRE_CLIENTS:-}" = all ]; then
        echo 'The certified OpenID provider needs Node 20 or newer with npm, and neither may be missing here.' >&2
        exit 1
    fi
    echo 'Skipped: the certified OpenID provider needs Node 20 or newer with npm.'
    exit 0
fi
npm ci --prefix tests/clients/node_oidc --no-audit --no-fund --silent
exec .venv/bin/pytest tests/clients/node_oidc/certified_provider.py "$@"
