"""The life of an alert, as in Prometheus: quiet, pending, firing, kept, resolved.

Time counts only while somebody looked and could judge: `held` and `cleared` grow by
the time between two looks, not at all while the condition is unknown, and by no
more than `CREDIT_MAX` over a pause, e.g. while the service was down.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

CREDIT_MAX: Final = timedelta(minutes=5)
ZERO: Final = timedelta()


class State(StrEnum):
    """Where an alert is in its life; part of the public contract."""

    QUIET = "quiet"
    PENDING = "pending"
    FIRING = "firing"
    KEPT = "kept"
    RESOLVED = "resolved"


class Condition(StrEnum):
    """What is known of the thing that an alert is about."""

    HOLDS = "holds"
    CLEAR = "clear"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient an alert is.

    Attributes:
        wait: How long the condition must hold before the alert fires.
        keep: How long the alert goes on after the condition has cleared.
    """

    wait: timedelta
    keep: timedelta


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing to say; `episode` counts the lives so far."""

    episode: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """The condition holds, but not yet for long enough."""

    episode: int
    since: datetime
    held: timedelta
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Firing:
    """The alert is raised."""

    episode: int
    pending_since: datetime
    since: datetime
    was_kept: bool = False
    """Whether this episode's first clearing has been told."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The condition has cleared, but not yet for long enough; still raised."""

    episode: int
    pending_since: datetime
    firing_since: datetime
    since: datetime
    cleared: timedelta
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Resolved:
    """The alert is over."""

    episode: int
    pending_since: datetime
    firing_since: datetime
    at: datetime


Life = Quiet | Pending | Firing | Kept | Resolved


@dataclass(frozen=True, slots=True)
class Step:
    """A life one look later, and the state to tell, if it is a new one.

    Each state of an episode is told at most once, so that its message's id
    (fingerprint, episode, state) means one message. An alert that goes from kept
    back to firing tells nothing: for everybody outside it never stopped.
    """

    life: Life
    notice: State | None = None


def state_of(life: Life) -> State:
    """Name the state of a life."""
    match life:
        case Quiet():
            return State.QUIET
        case Pending():
            return State.PENDING
        case Firing():
            return State.FIRING
        case Kept():
            return State.KEPT
        case Resolved():
            return State.RESOLVED
        case _:
            assert_never(life)


def step(life: Life, condition: Condition, policy: Policy, now: datetime) -> Step:
    """Take an alert's life one look further.

    Args:
        life: As it was left by the look before.
        condition: What is known now.
        policy: How patient to be.
        now: The instant of this look; not before the earlier looks.
    """
    match life:
        case Quiet() | Resolved():
            if condition is Condition.HOLDS:
                return _begin(life.episode + 1, policy, now)
            return Step(life)
        case Pending():
            return _step_pending(life, condition, policy, now)
        case Firing():
            if condition is Condition.CLEAR:
                return _clear(life, policy, now)
            return Step(life)
        case Kept():
            return _step_kept(life, condition, policy, now)
        case _:
            assert_never(life)


def retire(life: Life, now: datetime) -> Step:
    """End an alert at once, because what it is about is gone."""
    match life:
        case Quiet() | Resolved():
            return Step(life)
        case Pending():
            return Step(Quiet(life.episode), State.QUIET)
        case Firing():
            return _resolve(life.episode, life.pending_since, life.since, now)
        case Kept():
            return _resolve(life.episode, life.pending_since, life.firing_since, now)
        case _:
            assert_never(life)


def carry(life: Life, to: datetime) -> Life:
    """Return what a life has become when every look up to an instant was alike.

    Each found what the one before it found, and none came later than `CREDIT_MAX`
    after it. So a life has to be written down only when something else happened: the
    instant of the last look tells the rest, to the microsecond.

    Args:
        life: As it was written down.
        to: The instant of the last look; where it is not after the writing, or the
            life does not wait for anything, nothing changes.
    """
    match life:
        case Pending() if life.seen_at < to:
            held = life.held + (to - life.seen_at)
            return replace(life, held=held, seen_at=to)
        case Kept() if life.seen_at < to:
            cleared = life.cleared + (to - life.seen_at)
            return replace(life, cleared=cleared, seen_at=to)
        case _:
            return life


def waits(life: Life, policy: Policy) -> timedelta | None:
    """Return how long a life needs at least for its next change by the clock."""
    match life:
        case Pending():
            return max(ZERO, policy.wait - life.held)
        case Kept():
            return max(ZERO, policy.keep - life.cleared)
        case Quiet() | Firing() | Resolved():
            return None
        case _:
            assert_never(life)


def _begin(episode: int, policy: Policy, now: datetime) -> Step:
    if policy.wait <= ZERO:
        return Step(Firing(episode, pending_since=now, since=now), State.FIRING)
    return Step(Pending(episode, since=now, held=ZERO, seen_at=now), State.PENDING)


def _step_pending(
    life: Pending, condition: Condition, policy: Policy, now: datetime
) -> Step:
    match condition:
        case Condition.CLEAR:
            return Step(Quiet(life.episode), State.QUIET)
        case Condition.UNKNOWN:
            return Step(replace(life, seen_at=now))
        case Condition.HOLDS:
            held = life.held + _credit(life.seen_at, now)
            if held < policy.wait:
                return Step(replace(life, held=held, seen_at=now))
            firing = Firing(life.episode, pending_since=life.since, since=now)
            return Step(firing, State.FIRING)
        case _:
            assert_never(condition)


def _clear(life: Firing, policy: Policy, now: datetime) -> Step:
    if policy.keep <= ZERO:
        return _resolve(life.episode, life.pending_since, life.since, now)
    kept = Kept(
        life.episode,
        pending_since=life.pending_since,
        firing_since=life.since,
        since=now,
        cleared=ZERO,
        seen_at=now,
    )
    return Step(kept, None if life.was_kept else State.KEPT)


def _step_kept(life: Kept, condition: Condition, policy: Policy, now: datetime) -> Step:
    match condition:
        case Condition.HOLDS:
            return Step(
                Firing(
                    life.episode,
                    pending_since=life.pending_since,
                    since=life.firing_since,
                    was_kept=True,
                )
            )
        case Condition.UNKNOWN:
            return Step(replace(life, seen_at=now))
        case Condition.CLEAR:
            cleared = life.cleared + _credit(life.seen_at, now)
            if cleared < policy.keep:
                return Step(replace(life, cleared=cleared, seen_at=now))
            return _resolve(life.episode, life.pending_since, life.firing_since, now)
        case _:
            assert_never(condition)


def _resolve(
    episode: int, pending_since: datetime, firing_since: datetime, now: datetime
) -> Step:
    return Step(Resolved(episode, pending_since, firing_since, now), State.RESOLVED)


def _credit(seen_at: datetime, now: datetime) -> timedelta:
    return min(max(now - seen_at, ZERO), CREDIT_MAX)
