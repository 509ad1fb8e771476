"""docs/model.md shows the model's results. ``make model`` compares all of them; this file, the ones that are quick."""

import pytest

from model import docs_page, scenarios
from model.runs import run_variant, run_whole
from model.scenarios import WHOLE
from model.variants import BREAKING, REDUNDANT_GUARDS

OUTDATED = "out of date: run python -m model --write-docs"


@pytest.fixture(scope="module")
def page() -> str:
    return docs_page.PAGE.read_text(encoding="utf-8")


def test_variants_and_traces_are_current(page: str) -> None:
    rendered = docs_page.render_variants([run_variant(variant) for variant in (*BREAKING, *REDUNDANT_GUARDS)])

    for part in (docs_page.BROKEN, docs_page.REDUNDANT, docs_page.TRACES):
        assert docs_page.read_part(page, part) == rendered[part], OUTDATED


def test_scenarios_are_current(page: str) -> None:
    """Every scenario has its row, in order; the rows of those that are quick to explore have the right figures."""
    rows = docs_page.read_part(page, docs_page.SCENARIOS).splitlines()[2:-1]

    for scenario, row in zip(WHOLE, rows, strict=True):
        assert row.startswith(f"| **{scenario.name}**: {scenario.summary} |")
        assert row.endswith(" | 0 |")
    for scenario in (scenarios.TIME, scenarios.APP):
        assert docs_page.scenario_row(run_whole(scenario)) in rows, OUTDATED


def test_only_generated_parts_are_replaced(page: str) -> None:
    names = (docs_page.SCENARIOS, docs_page.BROKEN, docs_page.REDUNDANT, docs_page.TRACES)
    emptied = docs_page.replace_parts(page, dict.fromkeys(names, ""))

    assert "# The model" in emptied
    assert "browser 1 sends" not in emptied
    assert docs_page.replace_parts(emptied, {name: docs_page.read_part(page, name) for name in names}) == page
