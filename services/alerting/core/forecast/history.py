"""Between the days of a history and the numbers of a forecast."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, assert_never

from services.alerting.core.forecast.completion import (
    HISTORY_DAYS_MAX,
    Forecast,
    NoForecast,
)
from services.alerting.core.risk import Outlook

_DAY: Final = timedelta(days=1)


def lay_out(
    first_day: date | None, counts: Iterable[tuple[date, float]], today: date
) -> tuple[float, ...]:
    """Lay effects out by day, up to yesterday, as a course takes them.

    The first day of all is left out: what an agency brings along when it begins to
    report is no day's progress.

    Args:
        first_day: Of all that has any effect; None where nothing has.
        counts: Effects of days that have any, each day at most once.
        today: The first day that is not complete.
    """
    if first_day is None:
        return ()
    first = max(first_day + _DAY, today - HISTORY_DAYS_MAX * _DAY)
    effects = [0.0] * max((today - first).days, 0)
    for day, count in counts:
        if first <= day < today:
            effects[(day - first).days] = count
    return tuple(effects)


def outlook_of(said: Forecast | NoForecast, today: date) -> Outlook:
    """Turn a forecast into days of the calendar.

    Args:
        said: Made from the days before `today`.
        today: The first of the days that it counts.
    """
    match said:
        case Forecast():
            p10, p50, p90 = (
                None if days is None else today + (days - 1) * _DAY
                for days in (said.p10_days, said.p50_days, said.p90_days)
            )
            return Outlook(today - _DAY, said.miss_bp, p10, p50, p90)
        case NoForecast():
            return Outlook(today - _DAY, None)
        case _:
            assert_never(said)
