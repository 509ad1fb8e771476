"""``python -m clients.conformance``: builds the clients, runs their own checks, and plays all cases with each.

A language whose toolchain is not on this machine is passed over, and said so; with REQUIRE_CLIENTS=all (or a list of
languages) in the environment that is a failure. Exit status 1 if anything failed.
"""

import argparse
import asyncio
import sys

from clients.conformance.case import all_cases
from clients.conformance.languages import CommandFailed, Language, languages, run
from clients.conformance.report import Report
from clients.conformance.suite import play_all


def main() -> int:
    given = _arguments()
    report = Report()
    known = languages()
    names = given.languages or [one.name for one in known]
    if unknown := set(names) - {one.name for one in known}:
        sys.exit(f"No such language: {', '.join(sorted(unknown))}. There are {', '.join(one.name for one in known)}.")
    ready = [one for one in known if one.name in names and _prepared(one, report, build=not given.no_build)]
    chosen = [case for case in all_cases() if given.only in str(case)]
    if ready:
        asyncio.run(play_all(ready, chosen, report))
    return report.close()


def _prepared(language: Language, report: Report, *, build: bool) -> bool:
    """Whether its driver can be started."""
    if not language.there or language.missing:
        why = f"{language.missing[0]} was not found" if language.there else f"there is no {language.folder} here"
        report.say(f"{language.name:<15} not played: {why}", failed=language.required)
        return False
    try:
        for command in (*language.build, *language.check) if build else ():
            report.console.print(f"{language.name}: {' '.join(command)}", soft_wrap=True)
            run(command)
    except CommandFailed as failure:
        report.failure(language.name, str(failure))
        report.say(f"{language.name:<15} not played: its build or its own checks failed")
        return False
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m clients.conformance", description=__doc__)
    parser.add_argument("languages", nargs="*", help="only these (default: all of languages.toml)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the cases whose name holds this text")
    parser.add_argument("--no-build", action="store_true", help="take the drivers as they are")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
