"""Looks at one target again and again, through time that is long past.

The service looks every few seconds. Between two of its looks nothing changes but at
instants that are known beforehand: something is logged, a local day begins, a wait is
over. A replay looks at those alone, and gives alerts the credit that the looks between
would have given; so it tells the same, a thousand times as fast.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from services.alerting.core.alerts import MET_TOLD, Kind, condition_of, policy_of
from services.alerting.core.backtest.knowledge import Knowledge, reading_of
from services.alerting.core.evaluation import Evaluation, Memory, evaluate
from services.alerting.core.life_cycle import (
    CREDIT_MAX,
    Condition,
    Firing,
    Kept,
    Life,
    Pending,
    Quiet,
    Resolved,
    State,
    step,
    waits,
)
from services.alerting.core.path import local_day
from services.alerting.core.risk import Outlook, RiskLimits, is_grave
from services.alerting.core.status import BEHIND_MAX, DEFAULT_LIMITS, Status
from services.alerting.core.texts import Names
from shared.catalogue.model import Target

_DAY: Final = timedelta(days=1)
# Just after figures are as old as they may be.
_STALE: Final = BEHIND_MAX + timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that would have been told.

    Attributes:
        target: The target's id.
        kind: Which alert.
        state: What it came to.
        episode: Which of its lives, from 1.
        at: When.
        status: The target's status then.
        position: How far along its path it was; None before the start.
        text: What the alert would have said, in English.
    """

    target: str
    kind: Kind
    state: State
    episode: int
    at: datetime
    status: Status
    position: Fraction | None
    text: str


@dataclass(frozen=True, slots=True)
class Watched:
    """A target as the last look left it.

    Attributes:
        memory: What the service would have kept.
        conditions: What was known then of what each alert is about.
    """

    memory: Memory
    conditions: Mapping[Kind, Condition]


UNSEEN: Final = Watched(
    Memory(None, None, None, is_lagging=False, lives={}), conditions={}
)
"""Before the first look."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What stays the same for a target during a replay."""

    target: Target
    names: Names
    timezone: str
    limits: RiskLimits = DEFAULT_LIMITS
    interval: timedelta = timedelta(seconds=10)
    """How often the service looks; at most 5 minutes."""


def watch(
    watching: Watch,
    before: Watched,
    known: Knowledge,
    outlook: Outlook | None,
    until: datetime,
) -> tuple[Watched, tuple[Turn, ...]]:
    """Look at a target from an instant on, as long as nothing new is known of it.

    Args:
        watching: The target.
        before: As the looks up to that instant left it.
        known: At that instant, when the first look is.
        outlook: The last forecast.
        until: When something new is known; no look is at it or after it.

    Returns:
        How the last look left it, and what was told, in order.
    """
    turns: list[Turn] = []
    now = known.at
    while now < until:
        today = local_day(now, watching.timezone)
        seen = evaluate(
            watching.target,
            watching.names,
            _meanwhile(watching, before, now),
            reading_of(watching.target, known, outlook, today=today, now=now),
            is_removed=False,
            today=today,
            now=now,
            # The next day begins sooner than that.
            interval=2 * _DAY,
            limits=watching.limits,
        )
        turns += _turns(seen, now)
        before = _remember(before, seen, watching.limits, today=today, now=now)
        looks = _next_looks(watching, before, known, today=today, now=now)
        now = min(at for at in looks if at > now)
    return before, tuple(turns)


def _next_looks(
    watching: Watch, left: Watched, known: Knowledge, *, today: date, now: datetime
) -> Iterator[datetime]:
    """Name the instants at which something may change by the clock alone."""
    yield datetime.combine(today + _DAY, time(), ZoneInfo(watching.timezone))
    memory = left.memory
    if memory.status is Status.MET and memory.status_since is not None:
        yield memory.status_since + MET_TOLD
    if known.complete_until is not None:
        yield known.complete_until + _STALE
    for kind, life in memory.lives.items():
        rest = waits(life, policy_of(kind, watching.target))
        # What cannot be judged stands still, however little is left to wait.
        if rest is not None and left.conditions[kind] is not Condition.UNKNOWN:
            yield now + rest


def _meanwhile(watching: Watch, before: Watched, now: datetime) -> Memory:
    """Give alerts the credit of the looks that nothing could come of."""
    lives = {
        kind: _waited(watching, kind, life, before.conditions[kind], now)
        for kind, life in before.memory.lives.items()
    }
    return replace(before.memory, lives=lives)


def _waited(
    watching: Watch, kind: Kind, life: Life, condition: Condition, now: datetime
) -> Life:
    """Look at a life that waits as often as it takes to earn the whole time.

    The service's last look of them was one interval ago: if by now nothing can be
    judged any more, that interval earns nothing.
    """
    policy = policy_of(kind, watching.target)
    last = now - watching.interval
    while isinstance(life, Pending | Kept) and life.seen_at < last:
        at = min(life.seen_at + CREDIT_MAX, last)
        life = step(life, condition, policy, at).life
    return life


def _remember(
    before: Watched, seen: Evaluation, limits: RiskLimits, *, today: date, now: datetime
) -> Watched:
    said = seen.assessment
    lives = {**before.memory.lives, **{each.kind: each.life for each in seen.alerts}}
    grave = is_grave(said.outlook, limits)
    conditions = {
        kind: condition_of(
            kind,
            seen.target,
            said.status,
            seen.status_since,
            is_grave=grave,
            today=today,
            now=now,
        )
        for kind in Kind
    }
    memory = Memory(
        status=said.status,
        reason=said.reason,
        status_since=seen.status_since,
        is_lagging=said.is_lagging,
        lives=lives,
        is_at_risk=said.is_at_risk,
    )
    return Watched(memory, conditions)


def _turns(seen: Evaluation, now: datetime) -> Iterator[Turn]:
    for look in seen.alerts:
        if look.notice is not None:
            yield Turn(
                target=seen.target.id,
                kind=look.kind,
                state=look.notice,
                episode=_episode(look.life),
                at=now,
                status=seen.assessment.status,
                position=seen.assessment.position,
                text=look.summary.english,
            )


def _episode(life: Life) -> int:
    match life:
        case Quiet() | Pending() | Firing() | Kept() | Resolved():
            return life.episode
        case _:
            assert_never(life)
