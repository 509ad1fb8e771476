"""When the owner is told of wrong second factors, and when the first factor is suspended."""

from datetime import timedelta

from twofactor_server.domain.suspension import SPAN, Consequence, consequence


def test_a_failure_counts_for_a_day() -> None:
    assert timedelta(hours=24) == SPAN


def test_told_from_the_fifth_on_and_suspended_at_the_twentieth() -> None:
    found = [consequence(failures, suspended=False) for failures in range(1, 26)]
    assert found == [Consequence.NONE] * 4 + [Consequence.TELL] * 15 + [Consequence.SUSPEND] * 6


def test_once_suspended_there_is_nothing_more_to_tell() -> None:
    assert {consequence(failures, suspended=True) for failures in range(1, 100)} == {Consequence.NONE}
