"""Where a target stands: the first status of DESIGN section 8 that holds."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

from services.alerting.core.pace import (
    LONG_WINDOW_DAYS,
    SHORT_WINDOW_DAYS,
    Pace,
    measure_pace,
    required_per_day,
)
from services.alerting.core.path import (
    day_number,
    days_left,
    expected,
    is_met,
    position_beside,
)
from services.alerting.core.risk import Outlook, RiskLimits, current, is_at_risk
from shared.catalogue.model import Target

FULL_BP: Final = 10_000
AHEAD_BP: Final = 10_500
# Figures for people; a level a hundred thousand times the path says no more.
SHOWN_BP_MAX: Final = 1_000_000_000
GRACE_DAYS: Final = 7
BEHIND_MAX: Final = timedelta(minutes=5)
DEFAULT_LIMITS: Final = RiskLimits()


class Status(StrEnum):
    """Where a target stands; part of the public contract."""

    NOT_STARTED = "not_started"
    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"
    LAGGING = "lagging"
    AT_RISK = "at_risk"
    AHEAD = "ahead"
    ON_TRACK = "on_track"


class Reason(StrEnum):
    """Why a target cannot be judged."""

    PLATFORM = "platform"
    """Our own figures are incomplete or old."""
    SILENT = "silent"
    """Agencies that bring much of it, or are required, are silent or just returned."""
    NEVER_REPORTED = "never_reported"
    """A required agency has not reported the indicator yet."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the copy of totals says about a target.

    Attributes:
        level: The level with all that has been counted.
        level_on_due: The level on the due day; read after it only.
        short_effect: Event effects in the short window of complete days.
        long_effect: The same for the long window.
        is_filling: Whether the copy has never yet been complete.
        complete_until: Up to when all that was logged is in these figures; None
            when nothing tells.
        outlook: The last forecast; None before the first.
        silence: Why silence forbids to judge, if it does.
        is_due_complete: Whether all that was logged until the due day was over is in
            these figures; matters after it only.
    """

    level: int
    level_on_due: int | None
    short_effect: int
    long_effect: int
    is_filling: bool
    complete_until: datetime | None
    outlook: Outlook | None = None
    silence: Reason | None = None
    is_due_complete: bool = True


@dataclass(frozen=True, slots=True)
class Assessment:
    """A target's status with the figures that explain it."""

    status: Status
    reason: Reason | None
    actual: int
    expected: Fraction
    position: Fraction | None
    """None before the start."""
    short_pace: Pace
    long_pace: Pace
    required_per_day: Fraction | None
    is_lagging: bool
    """Whether it lags or lagged when last it could be judged."""
    is_at_risk: bool = False
    """The same, for the chance of missing; also while the status is lagging."""
    outlook: Outlook | None = None
    """The forecast, unless it is too old."""


def assess(
    target: Target,
    reading: Reading,
    *,
    was_lagging: bool,
    was_at_risk: bool = False,
    limits: RiskLimits = DEFAULT_LIMITS,
    today: date,
    now: datetime,
) -> Assessment:
    """Judge a target.

    Args:
        target: The target.
        reading: What the copy says.
        was_lagging: `is_lagging` of the assessment before this one.
        was_at_risk: `is_at_risk` of it.
        limits: Between which a chance of missing is a risk.
        today: The local day of `now`.
        now: The instant, by the database's clock.
    """
    is_after_due = days_left(target, today) < 0
    actual = reading.level
    if is_after_due and reading.level_on_due is not None:
        actual = reading.level_on_due
    short = measure_pace(target, actual, reading.short_effect, SHORT_WINDOW_DAYS, today)
    long = measure_pace(target, actual, reading.long_effect, LONG_WINDOW_DAYS, today)
    has_started = day_number(target, today) >= 0
    due_now = expected(target, today)
    place = position_beside(target, actual, due_now) if has_started else None
    status = _settled_status(target, actual, reading, today)
    is_lagging = risks = False
    outlook = current(reading.outlook, today)
    reason = Reason.PLATFORM if status is Status.UNKNOWN else None
    if status is None:
        reason = _reason_not_to_judge(reading, now)
        status = None if reason is None else Status.UNKNOWN
    if status is Status.UNKNOWN:
        # What cannot be judged changes no earlier judgement.
        is_lagging, risks = was_lagging, was_at_risk
    elif status is None:
        assert place is not None, "a target that has started has a position"
        is_lagging = _is_lagging(target, place, short, long, today, was=was_lagging)
        risks = is_at_risk(outlook, limits, was=was_at_risk)
        status = _open_status(place, is_lagging=is_lagging, is_at_risk=risks)
    return Assessment(
        status=status,
        reason=reason,
        actual=actual,
        expected=due_now,
        position=place,
        short_pace=short,
        long_pace=long,
        required_per_day=required_per_day(target, actual, today),
        is_lagging=is_lagging,
        is_at_risk=risks,
        outlook=outlook,
    )


def basis_points(ratio: Fraction | None) -> int | None:
    """Round a ratio down to whole basis points, for people.

    Down, so that a position below a limit is never shown as having reached it.
    """
    if ratio is None:
        return None
    shown = ratio.numerator * FULL_BP // ratio.denominator
    return max(-SHOWN_BP_MAX, min(SHOWN_BP_MAX, shown))


def _settled_status(
    target: Target, actual: int, reading: Reading, today: date
) -> Status | None:
    """Find the status that the calendar or the goal decides."""
    if day_number(target, today) < 0:
        return Status.NOT_STARTED
    if reading.is_filling:
        # With half a copy even "met" and "missed" would be guesses: a falling
        # target would be met by an empty one.
        return Status.UNKNOWN
    if is_met(target, actual):
        return Status.MET
    if days_left(target, today) >= 0:
        return None
    # What was logged late on the due day may be on its way to us.
    return Status.MISSED if reading.is_due_complete else Status.UNKNOWN


def _reason_not_to_judge(reading: Reading, now: datetime) -> Reason | None:
    """Find what forbids to judge: first we ourselves, then those who are silent."""
    until = reading.complete_until
    if until is None or now - until > BEHIND_MAX:
        return Reason.PLATFORM
    return reading.silence


def _is_lagging(
    target: Target, place: Fraction, short: Pace, long: Pace, today: date, *, was: bool
) -> bool:
    """Decide with hysteresis: entered below one limit, left at another."""
    if day_number(target, today) < GRACE_DAYS:
        return False
    if short.is_enough and long.is_enough:
        return False
    if was:
        return _is_below(place, target.behind.leave_bp)
    is_short_of_path = _is_below(place, target.behind.enter_bp)
    return is_short_of_path and not short.is_enough and not long.is_enough


def _is_below(ratio: Fraction, limit_bp: int) -> bool:
    """Compare exactly, in whole numbers: cheaper than comparing two fractions."""
    return ratio.numerator * FULL_BP < limit_bp * ratio.denominator


def _open_status(place: Fraction, *, is_lagging: bool, is_at_risk: bool) -> Status:
    if is_lagging:
        return Status.LAGGING
    if is_at_risk:
        return Status.AT_RISK
    return Status.ON_TRACK if _is_below(place, AHEAD_BP) else Status.AHEAD
