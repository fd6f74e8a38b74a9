"""What a forecast says about a target, and when that makes it one at risk."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

STALE_AFTER: Final = timedelta(days=3)
"""A forecast is made each day; an older one than this says nothing any more."""


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """From which chances of missing a target is at risk, and somebody told (ADR 0023).

    Attributes:
        enter_bp: From this chance on it is at risk, in basis points.
        leave_bp: Until its chance is no higher than this; at most `enter_bp`.
        alert_bp: From this chance on its alert begins; at least `enter_bp`.
    """

    enter_bp: int = 5_000
    leave_bp: int = 4_000
    alert_bp: int = 8_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """A target's last forecast.

    Attributes:
        day: The last complete local day that went into it.
        miss_bp: Chance of missing the due day; None where nothing is forecast.
        p10: Day by which the goal is reached with a chance of 10 %; None: beyond the
            horizon, or nothing is forecast.
        p50: The same, 50 %.
        p90: The same, 90 %.
        made_at: When it was made; None where that does not matter.
    """

    day: date
    miss_bp: int | None
    p10: date | None = None
    p50: date | None = None
    p90: date | None = None
    made_at: datetime | None = None


def current(outlook: Outlook | None, today: date) -> Outlook | None:
    """Return a forecast unless it is too old to be told."""
    if outlook is None or today - outlook.day > STALE_AFTER:
        return None
    return outlook


def is_at_risk(outlook: Outlook | None, limits: RiskLimits, *, was: bool) -> bool:
    """Decide with hysteresis whether a target is at risk of being missed.

    Args:
        outlook: The current forecast. None, while it is made anew or late, changes no
            earlier judgement; one that forecasts nothing ends it.
        limits: Where it begins and ends.
        was: What was decided before.
    """
    if outlook is None:
        return was
    if outlook.miss_bp is None:
        return False
    if was:
        return outlook.miss_bp > limits.leave_bp
    return outlook.miss_bp >= limits.enter_bp


def is_grave(outlook: Outlook | None, limits: RiskLimits) -> bool:
    """Tell whether a risk is such that its alert begins."""
    if outlook is None or outlook.miss_bp is None:
        return False
    return outlook.miss_bp >= limits.alert_bp
