"""One look at an agency's claims: the alert about them, and when to look again."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.alerting.core.agency_alerts import AgencyAlert, AgencyKind, Duty
from services.alerting.core.control import Control, Verdict, judge_controls
from services.alerting.core.control_texts import say_claims
from services.alerting.core.life_cycle import (
    Condition,
    Life,
    Policy,
    retire,
    step,
    waits,
)
from services.alerting.core.path import local_day
from services.alerting.core.shipped_texts import SHIPPED
from services.alerting.core.templates import Texts
from services.alerting.core.texts import Summary

LOOK_AGAIN: Final = timedelta(minutes=1)
"""How often the clock alone is reason to look; well below what one look credits."""
_AT_ONCE: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Claims:
    """What an agency claims of one indicator.

    Attributes:
        duty: About whom; removed where the catalogue no longer lets it send this.
        controls: Of all days that can still be mended, and of later ones.
        open_days: How many days back events are still taken.
    """

    duty: Duty
    controls: tuple[Control, ...]
    open_days: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Claims after a look.

    Attributes:
        duty: About whom.
        alert: The alert about them; None where there never was one.
        differing: How many days differ; None while nothing can be told.
        next_at: When the clock may change something; None: not by itself.
    """

    duty: Duty
    alert: AgencyAlert | None
    differing: int | None
    next_at: datetime | None


def compare(
    claims: Claims,
    life: Life,
    told: Summary | None,
    complete_until: datetime | None,
    policy: Policy,
    *,
    behind: bool,
    now: datetime,
    texts: Texts = SHIPPED,
) -> Comparison:
    """Hold claims against counts, and take the alert about them one look further.

    Args:
        claims: Of one agency and one indicator.
        life: Of its alert.
        told: What the alert says by now; stands for as long as nothing can be told.
        complete_until: Up to when all that was logged is counted; None when nothing
            tells.
        policy: How patient the alert is.
        behind: Whether it is we who lack events.
        now: By the database's clock.
        texts: What alerts say.
    """
    duty = claims.duty
    until = complete_until or now
    verdict = judge_controls(
        claims.controls,
        until,
        duty.timezone,
        open_days=claims.open_days,
        behind=behind or complete_until is None,
    )
    is_unknown = verdict.condition is Condition.UNKNOWN
    if duty.is_removed:
        stepped = retire(life, now)
    else:
        stepped = step(life, verdict.condition, policy, now)
    summary = say_claims(duty, verdict, texts)
    if is_unknown and not duty.is_removed and told is not None:
        summary = told
    alert = AgencyAlert(
        AgencyKind.MISMATCH,
        duty,
        _word(verdict),
        stepped.life,
        stepped.notice,
        summary,
    )
    return Comparison(
        duty=duty,
        alert=alert if stepped.life.episode > 0 else None,
        differing=None if is_unknown or duty.is_removed else verdict.differing,
        next_at=_next_at(
            claims, stepped.life, policy, until, is_unknown=is_unknown, now=now
        ),
    )


def _word(verdict: Verdict) -> str:
    match verdict.condition:
        case Condition.HOLDS:
            return "differs"
        case Condition.CLEAR:
            return "agrees"
        case Condition.UNKNOWN:
            return "unknown"


def _next_at(
    claims: Claims,
    life: Life,
    policy: Policy,
    until: datetime,
    *,
    is_unknown: bool,
    now: datetime,
) -> datetime | None:
    """Return when to look again though nothing changes."""
    if claims.duty.is_removed:
        return None
    found: list[datetime] = []
    waiting = waits(life, policy)
    if waiting is not None:
        found.append(now + min(max(waiting, _AT_ONCE), LOOK_AGAIN))
    if claims.controls:
        # At midnight a day is over, and another one is closed.
        midnight = _midnight_after(until, claims.duty.timezone)
        soon = now + LOOK_AGAIN
        found.append(soon if is_unknown else max(midnight, soon))
    return min(found, default=None)


def _midnight_after(instant: datetime, timezone: str) -> datetime:
    tomorrow = local_day(instant, timezone) + timedelta(days=1)
    return datetime.combine(tomorrow, time(), ZoneInfo(timezone))
