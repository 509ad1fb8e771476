"""``python -m model``: the exit status, the printed results, and the generated page."""

from dataclasses import replace
from pathlib import Path

import pytest

from model import __main__ as command
from model import docs_page, scenarios
from model.mechanisms import Mechanism
from model.variants import BREAKING, Variant

QUICK = replace(scenarios.TIME, crashes=0, losses=1)
BROKEN_PROTOCOL = replace(QUICK, removed=frozenset((Mechanism.REPLY_FIRST,)))


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Reduce the command to one scenario, one variant, and a page of their own."""
    path = tmp_path / "model.md"
    parts = (docs_page.SCENARIOS, docs_page.BROKEN)
    path.write_text("".join(f"<!-- generated: {name} -->\n<!-- end -->\n" for name in parts))
    monkeypatch.setattr(command, "WHOLE", (QUICK,))
    monkeypatch.setattr(command, "REDUNDANT_GUARDS", ())
    monkeypatch.setattr(command, "BREAKING", BREAKING[-1:])
    monkeypatch.setattr(docs_page, "PAGE", path)
    return path


def test_write_docs_updates_the_page(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--write-docs"]) == 0
    assert "use and expiry" in page.read_text()
    assert "open challenges voided" in page.read_text()
    assert command.main([]) == 0
    assert "OK: " in capsys.readouterr().out


def test_outdated_page_fails(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 1
    assert "FAILED  docs/model.md is out of date" in capsys.readouterr().out
    assert "use and expiry" not in page.read_text()


@pytest.mark.usefixtures("page")
def test_violation_of_the_whole_protocol_prints_its_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "WHOLE", (BROKEN_PROTOCOL,))

    assert command.main(["--write-docs"]) == 1
    printed = capsys.readouterr().out
    assert 'FAILED  use and expiry: "the new code is recoverable" is broken' in printed
    assert (
        "1. browser 1 sends UseBackupCode(challenge 1, code 1, request r) to server 1; backup-code-charged" in printed
    )


@pytest.mark.usefixtures("page")
def test_traces_prints_every_counterexample(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--write-docs"]) == 0
    assert "ConfirmEmailChange" not in capsys.readouterr().out
    assert command.main(["--traces"]) == 0
    printed = capsys.readouterr().out
    assert "1. laptop sends ConfirmEmailChange(link 1) to server 2; email-changed: accounts address 1 -> 2" in printed
    assert "Broken: a challenge for the old address is still open." in printed


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    ("variant", "failure"),
    [
        (replace(BREAKING[-1], removed=()), "should break, and nothing did"),
        (replace(BREAKING[-1], breaks=None), "is broken"),
        (replace(BREAKING[-1], breaks=BREAKING[0].breaks), 'should break, and "nothing stale is accepted" did'),
    ],
    ids=["breaks nothing", "breaks unexpectedly", "breaks another promise"],
)
def test_unexpected_variant_result_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant, failure: str
) -> None:
    monkeypatch.setattr(command, "BREAKING", (variant,))

    assert command.main(["--write-docs"]) == 1
    assert failure in capsys.readouterr().out
