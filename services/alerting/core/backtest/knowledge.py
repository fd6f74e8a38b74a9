"""What was known of a target at an instant, as the service would have read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.alerting.core.forecast import Course, lay_out
from services.alerting.core.pace import (
    LONG_WINDOW_DAYS,
    SHORT_WINDOW_DAYS,
    window_days,
)
from services.alerting.core.path import days_left, direction, level_of
from services.alerting.core.risk import Outlook
from services.alerting.core.status import Reading
from shared.catalogue.model import Measure, Target


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What was known of the unit that a target is about.

    Attributes:
        at: The instant.
        level: Of a stock the level with all that had been logged; of a flow the sum
            of what came within the target's run.
        level_on_due: The same up to the due day alone; read after it.
        effects: Event effects by local day, of days that have any: at least those of
            the last 182 complete days.
        first_day: Of all days that have any; None where none has.
        complete_until: Up to when all that was logged was also counted, where the
            platform was behind; None where it was not.
    """

    at: datetime
    level: int
    level_on_due: int | None
    effects: Mapping[date, int]
    first_day: date | None
    complete_until: datetime | None = None


def reading_of(
    target: Target,
    known: Knowledge,
    outlook: Outlook | None,
    *,
    today: date,
    now: datetime,
) -> Reading:
    """Read what was known as the service reads its copy.

    Args:
        target: The target.
        known: At `now` or before it, and nothing was logged in between.
        outlook: The last forecast.
        today: The local day of `now`.
        now: The instant of the look.
    """
    due_level = known.level_on_due if days_left(target, today) < 0 else None
    return Reading(
        level=level_of(target, known.level),
        level_on_due=None if due_level is None else level_of(target, due_level),
        short_effect=_effect(target, known, SHORT_WINDOW_DAYS, today),
        long_effect=_effect(target, known, LONG_WINDOW_DAYS, today),
        is_filling=False,
        complete_until=known.complete_until or now,
        outlook=outlook,
    )


def course_of(target: Target, known: Knowledge, today: date) -> Course:
    """Lay out what a forecast is made from.

    Args:
        target: Under way on that day.
        known: On that day.
        today: Counts to the future, with all that it has brought so far.
    """
    after = sum(count for day, count in known.effects.items() if day >= today)
    # A flow's transactions do not run out.
    is_stock = target.measure is Measure.STOCK
    people = target.population if is_stock else None
    return Course(
        effects=lay_out(known.first_day, known.effects.items(), today),
        level=level_of(target, known.level - after),
        goal=target.goal_value,
        rises=direction(target) > 0,
        ceiling=None if people is None else people.count,
        days_left=days_left(target, today) + 1,
    )


def _effect(target: Target, known: Knowledge, window: int, today: date) -> int:
    days = window_days(target, window, today)
    ago = (today - timedelta(days=each) for each in range(1, days + 1))
    return sum(known.effects.get(day, 0) for day in ago)
