"""``python -m clients.conformance.stubs``: generates the committed code of every client package from the contract.

A language whose toolchain is not installed is skipped, unless the environment variable REQUIRE_CLIENTS (`all`, or a
list of languages) includes it. `make check` (Python) and `make test-clients` (the others) fail if the committed code is
out of date. Java commits none: its build generates it.
"""

import sys

from clients.conformance.languages import CommandFailed, Language, load_languages, run_command


def main() -> int:
    return max(_generate(language) for language in load_languages() if language.generate)


def _generate(language: Language) -> int:
    if language.obstacle:
        print(f"{language.name}: skipped, {language.obstacle}", file=sys.stderr)
        return int(language.is_required)
    try:
        for command in language.generate:
            sys.stdout.write(run_command(command))
    except CommandFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
