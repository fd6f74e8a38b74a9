"""The kinds of alert about a target: when each holds, how patient, how grave."""

import hashlib
import json
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, assert_never

from services.alerting.core.life_cycle import ZERO, Condition, Policy
from services.alerting.core.path import days_left
from services.alerting.core.status import Status
from shared.catalogue.model import Target

# A met target is news, not a condition that somebody has to end.
MET_TOLD: Final = timedelta(days=7)
MISSED_TOLD_DAYS: Final = 30
_POLICIES_KEPT: Final = 1_024
# Made once: `json.dumps` with an option makes one each time.
_encoder: Final = json.JSONEncoder(ensure_ascii=False)
AT_ONCE: Final = Policy(wait=ZERO, keep=ZERO)


class Kind(StrEnum):
    """What an alert about a target says.

    Further kinds of the contract (silence, controls) come with what decides them.
    """

    LAGGING = "TargetLagging"
    AT_RISK = "TargetAtRisk"
    MISSED = "TargetMissed"
    MET = "TargetMet"


SEVERITIES: Final = {
    Kind.LAGGING: "warning",
    Kind.AT_RISK: "warning",
    Kind.MISSED: "critical",
    Kind.MET: "info",
}
RUNBOOKS: Final = {
    Kind.LAGGING: "docs/runbooks/target-lagging.md",
    Kind.AT_RISK: "docs/runbooks/target-at-risk.md",
    Kind.MISSED: "docs/runbooks/target-missed.md",
    Kind.MET: "docs/runbooks/target-met.md",
}


def fingerprint(kind: Kind, target_id: str) -> str:
    """Name an alert for ever: 32 hexadecimal digits of kind and target.

    Neither figures nor settings go in, so an edited target keeps its alert.
    """
    text = _encoder.encode([kind.value, target_id])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def policy_of(kind: Kind, target: Target) -> Policy:
    """Return how patient an alert is; lagging and risk have to last."""
    match kind:
        case Kind.LAGGING | Kind.AT_RISK:
            return _patience(target.behind.for_seconds, target.behind.keep_seconds)
        case Kind.MISSED | Kind.MET:
            return AT_ONCE
        case _:
            assert_never(kind)


@lru_cache(maxsize=_POLICIES_KEPT)
def _patience(for_seconds: int, keep_seconds: int) -> Policy:
    """Return the policy of a target; most targets have the same."""
    return Policy(timedelta(seconds=for_seconds), timedelta(seconds=keep_seconds))


def condition_of(
    kind: Kind,
    target: Target,
    status: Status,
    status_since: datetime,
    *,
    is_grave: bool = True,
    today: date,
    now: datetime,
) -> Condition:
    """Tell whether what an alert is about holds.

    Args:
        kind: What the alert says.
        target: The target.
        status: Its status.
        status_since: Since when it has it.
        is_grave: Whether the chance of missing is such that somebody should be told.
        today: The local day of `now`.
        now: The instant.
    """
    if status is Status.UNKNOWN:
        return Condition.UNKNOWN
    match kind:
        case Kind.LAGGING:
            holds = status is Status.LAGGING
        case Kind.AT_RISK:
            return _condition_of_risk(status, is_grave=is_grave)
        case Kind.MISSED:
            is_recent = -days_left(target, today) <= MISSED_TOLD_DAYS
            holds = status is Status.MISSED and is_recent
        case Kind.MET:
            holds = status is Status.MET and now - status_since < MET_TOLD
        case _:
            assert_never(kind)
    return Condition.HOLDS if holds else Condition.CLEAR


def _condition_of_risk(status: Status, *, is_grave: bool) -> Condition:
    """Tell whether the alert about a risk begins, stands still, or ends."""
    if status is Status.LAGGING:
        # It has come to what was feared, and the other alert tells of that.
        return Condition.UNKNOWN
    if status is not Status.AT_RISK:
        return Condition.CLEAR
    return Condition.HOLDS if is_grave else Condition.UNKNOWN
