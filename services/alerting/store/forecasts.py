"""Forecasting targets, in one transaction each time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg

from services.alerting.core.forecast import (
    HISTORY_DAYS_MAX,
    Course,
    Forecast,
    NoForecast,
    forecast_all,
    lay_out,
    outlook_of,
)
from services.alerting.sql import FORECASTS, QUERIES
from services.alerting.store.session import Session, columns, transaction
from shared.catalogue.model import Measure

SETTLED_AT: Final = time(1)
"""Of the day, locally: by then the day before has come in but for what is late."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One target that is due for a forecast."""

    target: str
    today: date
    timezone: str
    unit_id: int
    start_value: int
    measure: Measure
    due: date
    goal: int
    ceiling: int | None


class ForecastStore:
    """Forecasts whatever is due; any number of replicas may at the same time."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def forecast_due(self, limit: int) -> int:
        """Lock due targets, forecast them, save, commit.

        The arithmetic runs beside the event loop. A crash before the commit changes
        nothing, and whoever looks next does it.

        Args:
            limit: Most targets at a time: bounds memory and how long rows are locked.

        Returns:
            Number of targets forecast; `limit` means that there may be more.

        Raises:
            TransientError: Postgres is away; try again.
        """
        async with transaction(self._pool) as session:
            until = await _complete_until(session)
            if until is None:
                return 0
            await session.execute(FORECASTS["add_forecasts"])
            rows = await session.fetch(FORECASTS["lock_due_forecasts"], limit, until)
            if not rows:
                return 0
            asked = [_asked(row) for row in rows]
            courses = await _read_courses(session, asked)
            answers = await asyncio.to_thread(forecast_all, courses)
            saved = [_row(one, said) for one, said in zip(asked, answers, strict=True)]
            await session.execute(FORECASTS["save_forecasts"], *columns(saved, 12))
        return len(rows)


async def _complete_until(session: Session) -> datetime | None:
    """Find until when the copy holds all that was logged; None: nothing tells."""
    state = await session.fetchrow(QUERIES["read_copy_state"])
    assert state is not None, "the query gives one row"
    if state["is_filling"] or state["applied_until"] is None:
        return None
    caught_up: datetime = state["caught_up_at"]
    applied: datetime = state["applied_until"]
    return min(caught_up, applied)


def _asked(row: asyncpg.Record) -> _Asked:
    return _Asked(
        target=row["target"],
        today=row["today"],
        timezone=row["timezone"],
        unit_id=row["unit_id"],
        start_value=row["start_value"],
        measure=Measure(row["measure"]),
        due=row["due"],
        goal=row["goal"],
        ceiling=row["ceiling"],
    )


async def _read_courses(session: Session, asked: Sequence[_Asked]) -> list[Course]:
    wanted = [
        (one.unit_id, one.today - HISTORY_DAYS_MAX * _DAY, one.today) for one in asked
    ]
    rows = await session.fetch(FORECASTS["read_courses"], *columns(wanted, 3))
    return [_course(one, row) for one, row in zip(asked, rows, strict=True)]


def _course(one: _Asked, row: asyncpg.Record) -> Course:
    level = int(row["level"]) - int(row["after"])
    if one.measure is Measure.FLOW:
        # What its unit counts came on top of what it started with.
        level += one.start_value
    return Course(
        effects=lay_out(
            row["first_day"], zip(row["days"], row["counts"], strict=True), one.today
        ),
        level=level,
        goal=one.goal,
        rises=one.goal > one.start_value,
        ceiling=one.ceiling,
        days_left=(one.due - one.today).days + 1,
    )


def _row(one: _Asked, said: Forecast | NoForecast) -> tuple[Any, ...]:
    """Write a forecast, as the columns of the query `save_forecasts`."""
    outlook = outlook_of(said, one.today)
    reason = said.value if isinstance(said, NoForecast) else None
    tomorrow = datetime.combine(one.today + _DAY, SETTLED_AT, ZoneInfo(one.timezone))
    return (
        one.target,
        outlook.day,
        one.unit_id,
        one.goal,
        one.due,
        one.ceiling,
        outlook.p10,
        outlook.p50,
        outlook.p90,
        outlook.miss_bp,
        reason,
        tomorrow,
    )
