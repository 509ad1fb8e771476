"""``python -m clients.conformance.stubs``: makes the generated code of every client package from the contract.

A language whose toolchain is not on this machine is passed over, and said so; with REQUIRE_CLIENTS=all (or a list of
languages) in the environment that is a failure. That what is committed is fresh is for `make check` (Python) and
`make test-clients` (the others) to say. Java has none to commit: its build generates them.
"""

import sys

from clients.conformance.languages import CommandFailed, Language, languages, run


def main() -> int:
    """1 if one of them failed."""
    return max(_generated(language) for language in languages() if language.generate)


def _generated(language: Language) -> int:
    if language.missing:
        print(f"{language.name}: left as it is, {language.missing[0]} was not found", file=sys.stderr)
        return int(language.required)
    try:
        for command in language.generate:
            sys.stdout.write(run(command))
    except CommandFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
