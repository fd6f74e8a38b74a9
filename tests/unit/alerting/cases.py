"""Targets and readings for the tests of alerting's core."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypedDict, Unpack

from services.alerting.core.status import Assessment, Reading, Reason, assess
from shared.catalogue.model import Behind, LocalityKey, Target

START = date(2026, 1, 1)
DUE = date(2026, 4, 11)
"""A hundred days after the start."""
NOON = datetime(2026, 2, 20, 12, tzinfo=UTC)

RISING = Target(
    id="rising",
    indicator="cashless_accounts",
    locality=LocalityKey("38", date(2025, 7, 1)),
    start_date=START,
    start_value=1_000,
    due=DUE,
    goal_value=2_000,
    behind=Behind(),
    illustrative=True,
)
FALLING = replace(RISING, id="falling", start_value=2_000, goal_value=1_000)


class Changes(TypedDict, total=False):
    """What a test changes of a reading."""

    level_on_due: int | None
    short_effect: int
    long_effect: int
    is_filling: bool
    complete_until: datetime | None
    silence: Reason | None
    is_due_complete: bool


def on_day(number: int) -> date:
    """Return the day that is so many whole days after the start."""
    return START + timedelta(days=number)


def reading(level: int, **changes: Unpack[Changes]) -> Reading:
    """Build a reading that is complete; without pace unless given."""
    full = Reading(
        level=level,
        level_on_due=None,
        short_effect=0,
        long_effect=0,
        is_filling=False,
        complete_until=NOON,
    )
    return replace(full, **changes)


def judge(
    target: Target,
    day: int,
    level: int,
    *,
    was_lagging: bool = False,
    **changes: Unpack[Changes],
) -> Assessment:
    """Judge a target on a day, by number, with a level and other readings."""
    return assess(
        target,
        reading(level, **changes),
        was_lagging=was_lagging,
        today=on_day(day),
        now=NOON,
    )
