"""What a target tells of agencies that work on working days only, exactly on its path.

By the contract a path is straight through weekends, and lag is judged from the eighth
day on. Early in a run a weekend is more than a tenth of the path; how long that looks
like a lag depends on the weekday on which the target starts. Pinned here, since
docs and ADR 0028 say so, and since `for` is what target writers have against it.
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.alerting.core.status import Status, assess
from shared.catalogue.model import Target
from tests.unit.alerting.cases import NOON, RISING, reading

MONDAY = date(2025, 7, 28)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAYS = 364
A_WORKING_DAY = 140
"""Seven hundred a week, as the path asks for."""


def lags_of(weekday: int) -> list[tuple[int, int]]:
    """List from which day to which a target lags that starts on a weekday."""
    start = MONDAY + timedelta(days=weekday)
    target = replace(
        RISING,
        start_date=start,
        start_value=0,
        due=start + timedelta(days=DAYS),
        goal_value=100 * DAYS,
    )
    came = [A_WORKING_DAY * ((weekday + day) % 7 < 5) for day in range(DAYS)]
    begun: int | None = None
    found = []
    for day in range(DAYS):
        lags = _is_lagging(target, start, came[:day], was=begun is not None)
        if lags and begun is None:
            begun = day
        elif not lags and begun is not None:
            found.append((begun, day))
            begun = None
    return found


def _is_lagging(target: Target, start: date, came: list[int], *, was: bool) -> bool:
    seen = assess(
        target,
        reading(sum(came), short_effect=sum(came[-7:]), long_effect=sum(came[-28:])),
        was_lagging=was,
        today=start + timedelta(days=len(came)),
        now=NOON,
    )
    return seen.status is Status.LAGGING


@pytest.mark.parametrize(
    ("weekday", "lags"),
    [
        ("Mon", []),
        ("Tue", []),
        ("Wed", []),
        ("Thu", [(11, 13)]),
        ("Fri", [(10, 13)]),
        ("Sat", [(8, 13), (16, 19)]),
        ("Sun", [(8, 10)]),
    ],
)
def test_weekends_look_like_a_lag_by_the_weekday_of_the_start(
    weekday: str, lags: list[tuple[int, int]]
) -> None:
    """Never if it starts early in a week; else in the second and third week alone."""
    assert lags_of(WEEKDAYS.index(weekday)) == lags


def test_a_lag_that_has_to_last_six_days_is_never_a_weekend() -> None:
    """Whatever the weekday of the start: `for: 6d` outlasts the longest of them."""
    spans = [to - since for day in range(7) for since, to in lags_of(day)]
    assert max(spans) < 6
