"""``python -m clients.conformance``: builds and checks the client packages, and runs all cases with each.

A language whose toolchain is not installed is skipped, unless the environment variable REQUIRE_CLIENTS (`all`, or a
list of languages) includes it. The exit status is 1 if anything failed.
"""

import argparse
import asyncio
import sys

from clients.conformance.case import all_cases
from clients.conformance.languages import CommandFailed, Language, load_languages, run_command
from clients.conformance.report import Report
from clients.conformance.suite import run_suite


def main() -> int:
    arguments = _parse_arguments()
    report = Report()
    languages = load_languages()
    known = [language.name for language in languages]
    selected = arguments.languages or known
    if unknown := set(selected) - set(known):
        sys.exit(f"Unknown language: {', '.join(sorted(unknown))}. Known languages: {', '.join(known)}.")
    ready = [
        language
        for language in languages
        if language.name in selected and _prepare(language, report, build=not arguments.no_build)
    ]
    cases = [case for case in all_cases() if arguments.only in str(case)]
    if ready:
        asyncio.run(run_suite(ready, cases, report))
    return report.finish()


def _prepare(language: Language, report: Report, *, build: bool) -> bool:
    """Build and check the package; whether its driver can be started."""
    if language.obstacle:
        report.summarise(language.name, f"skipped: {language.obstacle}", failed=language.is_required)
        return False
    try:
        for command in (*language.build, *language.check) if build else ():
            report.console.print(f"{language.name}: {' '.join(command)}", soft_wrap=True)
            run_command(command)
    except CommandFailed as failure:
        report.print_failure(language.name, str(failure))
        report.summarise(language.name, "not run: the build or the checks failed")
        return False
    return True


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m clients.conformance", description=__doc__)
    parser.add_argument("languages", nargs="*", help="only these (default: all of languages.toml)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the cases whose name contains this text")
    parser.add_argument("--no-build", action="store_true", help="neither build nor check; use the existing drivers")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
