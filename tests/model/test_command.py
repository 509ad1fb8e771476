"""``python -m model``: exit status 1 on any surprise, and what is news is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from model import __main__ as command
from model import page, scenarios
from model.mechanisms import Mechanism, without
from model.variant import Variant
from model.variants import BROKEN

QUICK = replace(scenarios.TIME, crashes=0, losses=1)
BROKEN_PROTOCOL = replace(QUICK, protocol=without(Mechanism.REPLY_FIRST))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One scenario, one variant of each kind, and a page of their own."""
    kept = tmp_path / "model.md"
    kept.write_text("".join(f"<!-- generated: {name} -->\n<!-- end -->\n" for name in ("whole", "stories")))
    monkeypatch.setattr(command, "WHOLE", (QUICK,))
    monkeypatch.setattr(command, "SECOND_LINES", ())
    monkeypatch.setattr(command, "BROKEN", BROKEN[-1:])
    monkeypatch.setattr(page, "PAGE", kept)
    return kept


def test_it_writes_the_page_and_then_finds_it_fresh(few: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--write-docs"]) == 0
    assert "use against the clock" in few.read_text()
    assert command.main([]) == 0
    assert "All as it must be" in capsys.readouterr().out


def test_a_stale_page_is_a_surprise(few: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 1
    assert "docs/model.md says something else" in capsys.readouterr().out
    assert "use against the clock" not in few.read_text()


@pytest.mark.usefixtures("few")
def test_a_broken_protocol_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "WHOLE", (BROKEN_PROTOCOL,))

    assert command.main(["--write-docs"]) == 1
    printed = capsys.readouterr().out
    assert "never lost is broken" in printed
    assert "1. Alice's browser uses code 1 on sign-in 1, at server 1" in printed


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("variant", "surprise"),
    [
        (replace(BROKEN[-1], removed=()), "was to break, and nothing did"),
        (replace(BROKEN[-1], breaks=None), "is broken"),
        (replace(BROKEN[-1], breaks=BROKEN[0].breaks), "was to break, and nothing dead opens anything did"),
    ],
    ids=["not needed", "breaks after all", "breaks another promise"],
)
def test_a_variant_that_surprises(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant, surprise: str
) -> None:
    monkeypatch.setattr(command, "BROKEN", (variant,))

    assert command.main(["--write-docs"]) == 1
    assert surprise in capsys.readouterr().out
