"""How fast it goes, how fast it has to, and what is forecast from that."""

from datetime import timedelta
from typing import Final

from services.alerting.core.explanation.case import Case, Step, exact_value
from services.alerting.core.explanation.numbers import (
    days,
    far_day,
    limit,
    number,
    operand,
)
from services.alerting.core.explanation.path import COMPUTED, COPY
from services.alerting.core.pace import LONG_WINDOW_DAYS, SHORT_WINDOW_DAYS, Pace
from services.alerting.core.path import days_left, direction, is_met
from services.alerting.core.risk import STALE_AFTER

FORECAST: Final = "made once for each complete day, ADR 0023"
_DAY: Final = timedelta(days=1)


def explain_required(case: Case) -> Step:
    """Divide what is missing by the days that are left."""
    target, seen = case.target, case.seen
    left = days_left(target, case.today)
    if is_met(target, seen.actual):
        line = "nothing: the goal is reached"
    elif seen.required_per_day is None:
        line = "none suffices: no day is left"
    else:
        goal, actual = target.goal_value, seen.actual
        far, near = (goal, actual) if direction(target) > 0 else (actual, goal)
        line = f"({operand(far)} - {operand(near)}) / {days(left)} left = "
        line += f"{number(seen.required_per_day)} a day"
        if direction(target) < 0:
            line += " downwards"
    value = exact_value(seen.required_per_day)
    return Step("required_per_day", "required", value, (line,), COMPUTED)


def explain_paces(case: Case) -> tuple[Step, Step]:
    """Compare both windows with what is required."""
    return (
        _pace(case, SHORT_WINDOW_DAYS, case.reading.short_effect, case.seen.short_pace),
        _pace(case, LONG_WINDOW_DAYS, case.reading.long_effect, case.seen.long_pace),
    )


def _pace(case: Case, window: int, effect: int, pace: Pace) -> Step:
    lines: list[str] = []
    if pace.achieved_per_day is None:
        lines.append("no complete day of its run yet")
    else:
        first = case.today - pace.days * _DAY
        fewer = "" if pace.days == window else f" (all there are of {window})"
        span = f"{first} to {case.today - _DAY}{fewer}"
        sign = "-" if direction(case.target) < 0 else ""
        effects = f"({effect:,})" if effect < 0 else f"{effect:,}"
        lines.append(
            f"{span}: {sign}{effects} / {days(pace.days)} = "
            f"{number(pace.achieved_per_day)} a day towards the goal"
        )
    required = case.seen.required_per_day
    if pace.ratio is not None and pace.achieved_per_day is not None:
        assert required is not None, "a ratio has something that it is of"
        lines.append(
            f"{operand(pace.achieved_per_day)} / {operand(required)} = "
            f"{number(pace.ratio)} of what is required"
        )
    name = f"pace_{window}"
    source = f"{COPY}: effects of events, not statements"
    return Step(name, f"pace {window} d", exact_value(pace.ratio), tuple(lines), source)


def explain_forecast(case: Case) -> Step:
    """Say what is forecast, or why nothing is."""
    outlook = case.outlook
    lines: tuple[str, ...]
    if outlook is None:
        lines = ("none was made yet for this goal",)
    elif outlook.miss_bp is None:
        reason = case.no_forecast or "no reason is known"
        lines = (f"none: {reason}, from the days up to {outlook.day}",)
    else:
        lines = (
            (
                f"P10 {far_day(outlook.p10)}, P50 {far_day(outlook.p50)}, "
                f"P90 {far_day(outlook.p90)}"
            ),
            (
                f"chance of missing {limit(outlook.miss_bp)}, from the days up to "
                f"{outlook.day}"
            ),
        )
    if outlook is not None and case.seen.outlook is None:
        lines += (f"not used: older than {days(STALE_AFTER.days)}",)
    chance = None if outlook is None else outlook.miss_bp
    value = None if chance is None else limit(chance)
    return Step("forecast", "forecast", value, lines, FORECAST)
