"""Where a target stands as people are shown it, and since when that is so.

Most looks find what the one before them found. They are told from the others by what
would be shown, so that only news are written down and put into words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from services.alerting.core.alerts import Kind
from services.alerting.core.life_cycle import Firing, Kept, Life, Pending, carry
from services.alerting.core.status import Assessment, Reason, Status, basis_points

_CENTS: Final = 100
# An alert that goes on is put into words anew no more often than this, however fast
# its figures move: Alertmanager is told of it once a minute.
WORDS_KEPT: Final = timedelta(seconds=30)


class Standing(NamedTuple):
    """Status and figures, rounded for people; rates a day to hundredths.

    `forecast_at` is when the forecast was made that is told with them.
    """

    status: Status
    reason: Reason | None
    is_lagging: bool
    is_at_risk: bool
    actual: Decimal
    expected: Decimal
    position_bp: int | None
    pace_7_bp: int | None
    pace_28_bp: int | None
    required_per_day: Decimal | None
    achieved_7_per_day: Decimal | None
    achieved_28_per_day: Decimal | None
    forecast_at: datetime | None


@dataclass(frozen=True, slots=True)
class LastLook:
    """What the look before this one has shown.

    Attributes:
        at: When it was.
        day: The local day that it was then.
        standing: What it found.
        changed_at: When last a look found something to show that was new.
        written: When the alerts that were ever written down were last put into words.
    """

    at: datetime
    day: date
    standing: Standing
    changed_at: datetime
    written: Mapping[Kind, datetime]


def standing_of(seen: Assessment) -> Standing:
    """Round an assessment for people."""
    return Standing(
        status=seen.status,
        reason=seen.reason,
        is_lagging=seen.is_lagging,
        is_at_risk=seen.is_at_risk,
        actual=Decimal(seen.actual),
        expected=Decimal(_nearest(seen.expected, 1)),
        position_bp=basis_points(seen.position),
        pace_7_bp=basis_points(seen.short_pace.ratio),
        pace_28_bp=basis_points(seen.long_pace.ratio),
        required_per_day=_rate(seen.required_per_day),
        achieved_7_per_day=_rate(seen.short_pace.achieved_per_day),
        achieved_28_per_day=_rate(seen.long_pace.achieved_per_day),
        forecast_at=None if seen.outlook is None else seen.outlook.made_at,
    )


def changed_at(
    last: LastLook | None, standing: Standing, today: date, now: datetime
) -> datetime:
    """Return when what is shown changed: at this look, or when it last did.

    A new day changes what an alert says even where no figure moves.

    Args:
        last: None before the first look, and where all is to be written anew.
        standing: What this look found.
        today: The local day of `now`.
        now: The instant of this look.
    """
    if last is None or last.standing != standing or last.day != today:
        return now
    return last.changed_at


def stays_written(
    last: LastLook | None,
    kind: Kind,
    before: Life,
    after: Life,
    *,
    changed: datetime,
    now: datetime,
) -> bool:
    """Tell whether what is written of an alert still tells all after a look.

    It does where the alert only goes on, in words that hold or are new enough.

    Args:
        last: The look before this one.
        kind: The alert's kind.
        before: Its life, as that look left it.
        after: As this look leaves it.
        changed: When what it is about changed.
        now: The instant of this look.
    """
    if after != carry(before, now):
        return False
    if not isinstance(before, Pending | Firing | Kept):
        # Nobody is told of it.
        return True
    written = None if last is None else last.written.get(kind)
    if written is None:
        return False
    return changed <= written or now - written < WORDS_KEPT


def _rate(rate: Fraction | None) -> Decimal | None:
    """Round a rate to hundredths."""
    return None if rate is None else Decimal(_nearest(rate, _CENTS)).scaleb(-2)


def _nearest(value: Fraction, parts: int) -> int:
    """Round to the nearest of so many parts of one, halves up, in those parts."""
    below = value.denominator
    return (2 * parts * value.numerator + below) // (2 * below)
