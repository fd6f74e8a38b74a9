"""Which instants can be asked, and what is said of the others."""

from datetime import UTC, datetime, timedelta

import pytest

from services.cli.known_at import KnownRange, check_known, parse_instant
from shared.errors import FatalError

FROM = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 22, 12, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)


def test_instant_without_offset_is_local() -> None:
    """Vietnam's time; with an offset, that one."""
    assert parse_instant("2026-11-21T09:00:00") == datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert parse_instant("2026-11-21T09:00:00Z") == datetime(
        2026, 11, 21, 9, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-13-01", "0000-01-01", "10000-01-01", "2026-11-21T25:00:00"],
)
def test_text_that_is_no_instant_is_refused(text: str) -> None:
    """With an example of how it is written."""
    with pytest.raises(FatalError, match="write it like 2026-11-21T09:00:00"):
        parse_instant(text)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "0001-01-01T06:59+07:00", "9999-12-31T23:00-07:00"]
)
def test_instant_beyond_the_calendar_is_refused(text: str) -> None:
    """It cannot be written in UTC, and must not end in a traceback."""
    with pytest.raises(FatalError, match="not between the years 1 and 9999"):
        parse_instant(text)


def test_both_ends_of_the_range_can_be_asked() -> None:
    """The present is included."""
    check_known(UNTIL, KnownRange(is_kept=True, known_from=None, known_until=UNTIL))
    check_known(FROM, KnownRange(is_kept=True, known_from=None, known_until=UNTIL))


def test_future_is_refused_with_the_present() -> None:
    """To the microsecond; also where local time has no such year."""
    known = KnownRange(is_kept=True, known_from=None, known_until=UNTIL)
    with pytest.raises(FatalError, match=r"future.*2026-11-22T19:00:00\+07:00"):
        check_known(UNTIL + A_MOMENT, known)
    with pytest.raises(FatalError, match="9999-12-31T23:59:59"):
        check_known(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), known)


def test_instant_before_the_ledger_is_refused_with_the_first_that_is_kept() -> None:
    """One that has dropped nothing has lost nothing, so it refuses nothing."""
    at = FROM - A_MOMENT
    gone = KnownRange(is_kept=False, known_from=FROM, known_until=UNTIL)
    with pytest.raises(FatalError, match=r"from 2026-01-01T07:00:00\+07:00 on"):
        check_known(at, gone)
    check_known(at, KnownRange(is_kept=True, known_from=None, known_until=UNTIL))
