"""How fast a target is approached, and how fast it has to be.

Rates come from event effects, not from statements: a census is no progress. All are
signed towards the goal, so a falling target that falls has a positive rate.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from services.alerting.core.path import day_number, days_left, direction, is_met
from shared.catalogue.model import Target

SHORT_WINDOW_DAYS: Final = 7
LONG_WINDOW_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Pace:
    """Achieved over required, for one window of complete days.

    Attributes:
        days: Complete local days looked at; fewer than the window early on.
        achieved_per_day: Mean effect of those days; None without a complete day.
        ratio: Achieved over required; None where either is missing.
        is_enough: Whether the goal is reached at this pace.
    """

    days: int
    achieved_per_day: Fraction | None
    ratio: Fraction | None
    is_enough: bool


def window_days(target: Target, window: int, today: date) -> int:
    """Count the complete days of a window: those of the target's run, at most all.

    Days before the start belong to no target, and today is not complete.
    """
    return min(window, max(day_number(target, today), 0))


def required_per_day(target: Target, level: int, today: date) -> Fraction | None:
    """Return what has to come each day from now on.

    Returns:
        None when the goal is reached, and when no day is left.
    """
    left = days_left(target, today)
    if is_met(target, level) or left <= 0:
        return None
    return Fraction(direction(target) * (target.goal_value - level), left)


def measure_pace(
    target: Target, level: int, effect: int, window: int, today: date
) -> Pace:
    """Compare what came in a window with what has to come.

    Args:
        target: The target.
        level: The actual level now.
        effect: Sum of event effects over the window's complete days.
        window: Length asked for, in days.
        today: The local day.
    """
    days = window_days(target, window, today)
    achieved = Fraction(direction(target) * effect, days) if days else None
    if is_met(target, level):
        return Pace(days, achieved, None, is_enough=True)
    left = days_left(target, today)
    if achieved is None or left <= 0:
        # No complete day is no sign of slowness; no day left is.
        return Pace(days, achieved, None, is_enough=left > 0)
    # Achieved over required, in whole numbers; both have the sign of the direction.
    ratio = Fraction(effect * left, days * (target.goal_value - level))
    # Comparing fractions costs ten times as much as comparing their parts.
    return Pace(days, achieved, ratio, is_enough=ratio.numerator >= ratio.denominator)
