"""Times that the tests of the rules share."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

NOON = datetime(2026, 7, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)

times = st.datetimes(
    min_value=datetime(2000, 1, 1),
    max_value=datetime(2100, 1, 1),
    timezones=st.just(UTC),
)
