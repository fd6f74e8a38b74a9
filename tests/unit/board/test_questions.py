"""What a query means, and what is refused of it."""

import contextlib
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.board.core.known_at import CannotBeKnownError, KnownRange, check_known
from services.board.core.parameters import (
    BadParameterError,
    Parameters,
    encode_cursor,
)
from services.board.core.questions import (
    SERIES_DAYS_MAX,
    SERIES_SPAN_DAYS_MAX,
    ask_alerts,
    ask_series,
    ask_targets,
    ask_totals,
)

TODAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 5, tzinfo=UTC)
EID = ("indicator", "eid_accounts")


def test_nothing_asked_is_the_nation_with_all_that_is_counted() -> None:
    """Codes mean today's units, and a page has a thousand rows."""
    question = ask_totals([], TODAY)
    assert (question.locality, question.indicator, question.day) == (None, None, None)
    assert (question.borders_on, question.limit) == (TODAY, 1_000)
    assert not question.with_children
    assert question.known_at is None


def test_borders_are_those_of_the_day_asked_for() -> None:
    """A code means another unit before a reform."""
    question = ask_totals([("day", "2025-01-01"), ("children", "true")], TODAY)
    assert (question.day, question.borders_on) == (date(2025, 1, 1),) * 2
    assert question.with_children


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T12:00:00+07:00",
        # What a browser makes of it.
        "2026-11-21T12:00:00 07:00",
        "2026-11-21t05:00:00z",
        "2026-11-21T05:00:00.000000Z",
        "2026-11-21T02:00:00-03:00",
    ],
)
def test_instant_is_read_in_utc(text: str) -> None:
    """Also where a plus has become the space that it stands for in a query."""
    assert ask_totals([("known_at", text)], TODAY).known_at == NOON


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("known_at", "2026-11-21T12:00:00"),
        ("known_at", "2026-11-21"),
        ("known_at", "2026-02-30T12:00:00Z"),
        ("known_at", "0001-01-01T00:00:00+07:00"),
        ("known_at", "2026-11-21T12:00:00+07:99"),
        ("known_at", "1795226400"),
        ("day", "21.11.2026"),
        ("day", "2026-02-30"),
        ("day", "20261121"),
        ("day", "0001-01-01"),
        ("day", "9999-12-31"),
        ("children", "yes"),
        ("children", ""),
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "10001"),
        ("limit", "1e3"),
        ("limit", "٣"),
        ("limit", "9" * 400),
        ("locality", ""),
        ("locality", "x" * 129),
        ("locality", "38\x00"),
        ("indicator", "a\ud800b"),
        ("cursor", "?"),
        ("cursor", "x" * 5_000),
        ("cursor", encode_cursor(["one"])),
        ("cursor", encode_cursor(["a\x00", "b", "c"])),
        ("localty", "38"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(name: str, value: str) -> None:
    """Rather than left out: the figures would look like those asked for."""
    with pytest.raises(BadParameterError) as refused:
        ask_totals([(name, value)], TODAY)
    assert name in str(refused.value)
    assert len(str(refused.value)) < 250
    str(refused.value).encode()


def test_a_parameter_given_twice_is_refused() -> None:
    """Nobody knows which one was meant."""
    with pytest.raises(BadParameterError, match="twice"):
        ask_totals([("day", "2026-11-20"), ("day", "2026-11-21")], TODAY)


def test_cursor_leads_back_to_where_the_page_ended() -> None:
    """Whatever the parts hold, the text may stand in an address as it is."""
    parts = ("eid", "38/ü ?&=+", "2025-07-01")
    cursor = encode_cursor(parts)
    assert ask_totals([("cursor", cursor)], TODAY).after == parts
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_any_cursor_is_read_or_refused(text: str) -> None:
    """Nothing else may come of what anybody sends."""
    try:
        parts = Parameters([("cursor", text)]).cursor(4)
    except BadParameterError:
        return
    assert parts is not None
    assert len(parts) == 4


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_parameter_is_read_or_refused(name: str, value: str) -> None:
    """By every question."""
    for ask in (
        lambda: ask_totals([(name, value)], TODAY),
        lambda: ask_series([EID, (name, value)], TODAY),
        lambda: ask_targets([(name, value)]),
        lambda: ask_alerts([(name, value)]),
    ):
        with contextlib.suppress(BadParameterError):
            assert ask() is not None


def test_series_is_of_the_last_31_days_unless_others_are_asked_for() -> None:
    """Its borders are those of its last day."""
    question = ask_series([EID], TODAY)
    assert (question.first, question.last, question.to) == (
        TODAY - timedelta(days=30),
        TODAY,
        TODAY,
    )


def test_pages_of_a_series_join_without_gap() -> None:
    """Each begins the day after the one before ended, and the last one is short."""
    asked = [EID, ("from", "2026-01-01"), ("to", "2026-11-21"), ("limit", "100")]
    days: list[date] = []
    cursor: list[tuple[str, str]] = []
    while not days or days[-1] < TODAY:
        page = ask_series([*asked, *cursor], TODAY)
        span = (page.last - page.first).days + 1
        assert 1 <= span <= SERIES_DAYS_MAX
        days += [page.first + timedelta(days=number) for number in range(span)]
        cursor = [
            ("cursor", encode_cursor([str(page.last + timedelta(days=1))])),
        ]
    assert days == [date(2026, 1, 1) + timedelta(days=n) for n in range(len(days))]


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [EID, ("to", "2026-11-22")],
        [EID, ("from", "2026-11-22")],
        [EID, ("from", "2026-11-20"), ("to", "2026-11-19")],
        [EID, ("from", str(TODAY - timedelta(days=SERIES_SPAN_DAYS_MAX)))],
        [EID, ("limit", "101")],
        [EID, ("cursor", encode_cursor(["2026-11-22"]))],
        [EID, ("cursor", encode_cursor(["x"]))],
        [EID, ("known_at", "2026-11-21T12:00:00Z")],
    ],
    ids=str,
)
def test_series_that_cannot_be_told_is_refused(pairs: list[tuple[str, str]]) -> None:
    """No indicator, days to come, too many of them, or another's cursor."""
    with pytest.raises(BadParameterError):
        ask_series(pairs, TODAY)


def test_targets_and_alerts_are_narrowed_by_words_that_exist() -> None:
    """A status or state that nobody has is a mistake, not an empty answer."""
    assert ask_targets([("status", "lagging")]).status == "lagging"
    with pytest.raises(BadParameterError, match="not_started, met"):
        ask_targets([("status", "late")])
    with pytest.raises(BadParameterError, match="quiet, pending"):
        ask_alerts([("state", "on")])


def test_alerts_that_are_over_are_told_where_they_are_named() -> None:
    """Else only those that are on."""
    assert not ask_alerts([]).with_past
    assert ask_alerts([("all", "true")]).with_past
    assert ask_alerts([("state", "resolved")]).with_past
    assert not ask_alerts([("state", "firing")]).with_past


def test_the_future_cannot_be_known() -> None:
    """The refusal names the last instant that can be asked."""
    known = KnownRange(is_kept=True, known_from=None, known_until=NOON)
    check_known(NOON, known)
    with pytest.raises(CannotBeKnownError, match="2026-11-21T05:00:00"):
        check_known(NOON + timedelta(microseconds=1), known)


def test_what_the_ledger_forgot_cannot_be_known() -> None:
    """The refusal names the first instant that can be asked."""
    known = KnownRange(is_kept=False, known_from=NOON, known_until=NOON)
    with pytest.raises(CannotBeKnownError, match="from 2026-11-21T05:00:00"):
        check_known(NOON - timedelta(days=1), known)
