"""The path from a target's start to its goal, and how far along it a level is.

All figures are exact: integers and fractions, in the indicator's units; `t` counts
whole local days (DESIGN section 8).
"""

from datetime import date
from fractions import Fraction
from typing import assert_never

from shared.catalogue.model import Target, Trajectory


def day_number(target: Target, today: date) -> int:
    """Count the whole days since the start; negative before it, 0 on its day."""
    return (today - target.start_date).days


def days_left(target: Target, today: date) -> int:
    """Count the whole days until the due day; 0 on it, negative after it."""
    return (target.due - today).days


def direction(target: Target) -> int:
    """Return +1 where more is better and -1 where less is."""
    return 1 if target.goal_value > target.start_value else -1


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
    days = (target.due - target.start_date).days
    elapsed = min(max(day_number(target, today), 0), days)
    way = target.goal_value - target.start_value
    return target.start_value + way * _share(target.trajectory, elapsed, days)


def position(target: Target, level: int, today: date) -> Fraction:
    """Return which share of the path due by now a level has covered.

    1 is exactly on the path, 0 still at the start, below 0 worse than the start.
    Where nothing is due yet it is 1 if the level is not worse than the start, else 0.
    """
    due_by_now = expected(target, today) - target.start_value
    covered = level - target.start_value
    if due_by_now == 0:
        return Fraction(int(direction(target) * covered >= 0))
    return covered / due_by_now


def _share(trajectory: Trajectory, elapsed: int, days: int) -> Fraction:
    match trajectory:
        case Trajectory.LINEAR:
            return Fraction(elapsed, days)
        case _:
            assert_never(trajectory)
