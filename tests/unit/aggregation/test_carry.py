"""Which days' levels are carried forward."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.aggregation.core.carry import (
    EVERY_DAYS,
    SETTLING_DAYS,
    is_kept,
    next_carry,
)

DAYS = st.dates(date(1999, 1, 1), date(2040, 1, 1))
SPANS = st.tuples(DAYS, st.integers(0, 60)).map(
    lambda drawn: (drawn[0], drawn[0] + timedelta(days=drawn[1]))
)


def carry_all(first: date, last: date) -> list[date]:
    """Carry forward until there is nothing more to carry."""
    days: list[date] = []
    while day := next_carry(first, last, days[-1] if days else None):
        days.append(day)
    return days


def test_nothing_counted_is_not_carried() -> None:
    """An empty ledger has no days."""
    assert next_carry(None, None, None) is None


@given(SPANS)
def test_every_settled_day_is_carried_or_lies_just_before_one(
    span: tuple[date, date],
) -> None:
    """Kept days all, and the last one that has settled; each once, in order."""
    first, last = span
    days = carry_all(first, last)
    settled = last - timedelta(days=SETTLING_DAYS)
    assert days == sorted(set(days))
    assert days[-1:] == ([settled] if settled >= first else [])
    kept = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    assert {day for day in days if is_kept(day)} == {
        day for day in kept if is_kept(day) and day <= settled
    }
    assert len(days) <= (last - first).days // EVERY_DAYS + 2


@given(SPANS, st.integers(0, 30))
def test_looking_often_leaves_the_same_days_as_looking_once(
    span: tuple[date, date], more: int
) -> None:
    """A day that is not kept goes once a later one is carried."""
    first, last = span
    days: list[date] = []
    for seen in range(more + 1):
        newest = last + timedelta(days=seen)
        while day := next_carry(first, newest, days[-1] if days else None):
            if days and not is_kept(days[-1]):
                days.pop()
            days.append(day)
    assert days == carry_all(first, last + timedelta(days=more))


def test_events_from_before_the_first_day_move_nothing_back() -> None:
    """What was carried stays; the next day is after it."""
    first, carried = date(2026, 1, 1), date(2026, 3, 1)
    assert next_carry(first, carried, carried) is None
    assert next_carry(first, date(2026, 2, 1), carried) is None
