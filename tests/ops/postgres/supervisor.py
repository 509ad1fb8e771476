"""A small supervisor to be killed: runs an embedded PostgreSQL, prints its URL, and waits for the end of its input.

Run by path, with the folder of `twofactor_server` and the one around the wheel on PYTHONPATH.
"""

import json
import sys
from pathlib import Path

from twofactor_server.postgres import EmbeddedPostgres, EmbeddedPostgresError


def main() -> None:
    said: list[str] = []
    try:
        with EmbeddedPostgres(Path(sys.argv[1]), said.append) as cluster:
            print(json.dumps({"url": cluster.url, "pid": cluster.pid, "said": said}), flush=True)
            sys.stdin.read()
    except EmbeddedPostgresError as error:
        print(json.dumps({"refused": str(error)}), flush=True)


if __name__ == "__main__":
    main()
