"""The path from a target's start to its goal, and how far along it a level is.

All figures are exact: integers and fractions, in the indicator's units; `t` counts
whole local days (DESIGN section 8). Only an S-curve is rounded, once.
"""

from bisect import bisect_right
from datetime import date, datetime
from fractions import Fraction
from typing import assert_never
from zoneinfo import ZoneInfo

from services.alerting.core.logistic import logistic_value
from shared.catalogue.model import Measure, Milestone, Target, Trajectory


def local_day(instant: datetime, timezone: str) -> date:
    """Return the day that it is at an instant in a time zone, by its IANA name."""
    return instant.astimezone(ZoneInfo(timezone)).date()


def day_number(target: Target, today: date) -> int:
    """Count the whole days since the start; negative before it, 0 on its day."""
    return (today - target.start_date).days


def days_left(target: Target, today: date) -> int:
    """Count the whole days until the due day; 0 on it, negative after it."""
    return (target.due - today).days


def direction(target: Target) -> int:
    """Return +1 where more is better and -1 where less is."""
    return 1 if target.goal_value > target.start_value else -1


def level_of(target: Target, counted: int) -> int:
    """Return what the path is compared with.

    Args:
        target: The target.
        counted: Of a stock its level; of a flow what came within the target's run.
    """
    return counted + target.start_value if target.measure is Measure.FLOW else counted


def is_met(target: Target, level: int) -> bool:
    """Tell whether a level is at the goal or beyond it."""
    return direction(target) * (level - target.goal_value) >= 0


def expected(target: Target, today: date) -> Fraction:
    """Return the value that the path asks for on a day.

    Args:
        target: Its due day is after its start.
        today: Any day; before the start the start value holds, after the due day
            the goal.
    """
    if today <= target.start_date:
        return Fraction(target.start_value)
    if today >= target.due:
        return Fraction(target.goal_value)
    start, goal = target.start_value, target.goal_value
    match target.trajectory:
        case Trajectory.LINEAR:
            elapsed, days = day_number(target, today), _length(target)
            return Fraction(start * days + (goal - start) * elapsed, days)
        case Trajectory.MILESTONES:
            return _due_between(target, today)
        case Trajectory.LOGISTIC:
            population = target.population
            assert population is not None, "the catalogue's check asks for one"
            elapsed, days = day_number(target, today), _length(target)
            return logistic_value(start, goal, population.count, elapsed, days)
        case _:
            assert_never(target.trajectory)


def position(target: Target, level: int, today: date) -> Fraction:
    """Return which share of the path due by now a level has covered."""
    return position_beside(target, level, expected(target, today))


def position_beside(target: Target, level: int, due_now: Fraction) -> Fraction:
    """Return which share of the way to a value a level has covered.

    1 is exactly there, 0 still at the start, below 0 worse than the start. Where
    nothing is due yet it is 1 if the level is not worse than the start, else 0.
    """
    covered = level - target.start_value
    # In whole numbers up to the last step: each fraction in between costs a gcd, and
    # thousands of targets are judged at a time.
    parts = due_now.denominator
    due_by_now = due_now.numerator - target.start_value * parts
    if due_by_now == 0:
        return Fraction(int(direction(target) * covered >= 0))
    return Fraction(covered * parts, due_by_now)


def _length(target: Target) -> int:
    return (target.due - target.start_date).days


def _due_between(target: Target, today: date) -> Fraction:
    """Go straight from the milestone before a day to the one after it.

    Args:
        target: With milestones in the order of their days.
        today: Strictly between start and due.
    """
    before, after = between_milestones(target, today)
    days = (after.day - before.day).days
    elapsed = (today - before.day).days
    return Fraction(before.value * days + (after.value - before.value) * elapsed, days)


def between_milestones(target: Target, today: date) -> tuple[Milestone, Milestone]:
    """Return the milestones before and after a day, start and goal among them.

    Args:
        target: With milestones in the order of their days.
        today: Strictly between start and due.
    """
    milestones = target.milestones
    at = bisect_right(milestones, today, key=_day_of)
    before = milestones[at - 1] if at else _start_of(target)
    after = milestones[at] if at < len(milestones) else _goal_of(target)
    return before, after


def _day_of(milestone: Milestone) -> date:
    return milestone.day


def _start_of(target: Target) -> Milestone:
    return Milestone(target.start_date, target.start_value)


def _goal_of(target: Target) -> Milestone:
    return Milestone(target.due, target.goal_value)
