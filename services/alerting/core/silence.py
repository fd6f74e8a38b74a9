"""When an agency is silent: the life of its silence, and what that does to targets.

Time is told by the *listening clock*. It runs only while this platform hears, so time
in which we were away, or behind, makes nobody silent; its readings are durations
since it was first started. Instants and readings are never compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.alerting.core.life_cycle import CREDIT_MAX, ZERO, Condition, Policy
from services.alerting.core.status import BEHIND_MAX, FULL_BP, Reason

SETTLE_MAX: Final = timedelta(hours=1)
"""How long an agency that returned is given to send what it owes."""
REPORTED_DAYS: Final = 28
DEFAULT_SHARE_BP: Final = 500


class Voice(StrEnum):
    """Whether an agency is heard from; part of the public contract."""

    HEARD = "heard"  # -> silent
    SILENT = "silent"  # -> returning
    RETURNING = "returning"  # -> heard, silent


@dataclass(frozen=True, slots=True)
class Clock:
    """The listening clock.

    Attributes:
        reading: For how long this platform has listened, in all.
        seen_at: Up to when; None before the first look.
    """

    reading: timedelta = ZERO
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is remembered of one agency and one indicator.

    Attributes:
        heard_at: Log time of the latest report that was taken in; None before any.
        mark: Reading of the clock at that report, or when reports were first
            expected if that was later.
        noted: Reading at which reports were last looked for.
        voice: Whether it is heard from.
        since: Since when.
        turned: Reading at which it became so.
    """

    heard_at: datetime | None
    mark: timedelta
    noted: timedelta
    voice: Voice
    since: datetime
    turned: timedelta


def is_behind(
    complete_until: datetime | None, now: datetime, *, is_filling: bool
) -> bool:
    """Tell whether it is we who do not hear: then nobody is called silent.

    Args:
        complete_until: Up to when all that was logged is in the copy; None when
            nothing tells.
        now: The instant.
        is_filling: Whether the copy has never been complete.
    """
    if is_filling or complete_until is None:
        return True
    return now - complete_until > BEHIND_MAX


def tick(clock: Clock, complete_until: datetime | None) -> Clock:
    """Let the listening clock run up to where the copy is complete.

    A report that is logged but not yet copied is never missed so. Where the copy
    leaps ahead the clock gains at most five minutes: we were not there, and whether
    anybody could report meanwhile is not known.

    Args:
        clock: As it was left.
        complete_until: Up to when all that was logged is in the copy; None when
            nothing tells, or the copy has never been complete.
    """
    if complete_until is None:
        return clock
    seen = clock.seen_at
    if seen is None:
        return replace(clock, seen_at=complete_until)
    # What was set back, a clock or a watermark, was listened to already.
    gain = min(max(complete_until - seen, ZERO), CREDIT_MAX)
    return Clock(clock.reading + gain, max(seen, complete_until))


def expect(clock: Clock, now: datetime) -> Hearing:
    """Begin to expect reports: the first is owed within a whole cadence from now."""
    return Hearing(None, clock.reading, clock.reading, Voice.HEARD, now, clock.reading)


def hear(
    hearing: Hearing,
    reported_at: datetime | None,
    cadence: timedelta | None,
    clock: Clock,
    now: datetime,
) -> Hearing:
    """Take the life of a silence one look further; not while we are behind.

    Args:
        hearing: As the look before left it.
        reported_at: Log time of the agency's last report; None before any.
        cadence: Longest time between two reports; None: it owes none.
        clock: The listening clock, now.
        now: The instant of this look.
    """
    heard_until = now if clock.seen_at is None else clock.seen_at
    after = replace(hearing, noted=clock.reading)
    if reported_at is not None and (
        hearing.heard_at is None or reported_at > hearing.heard_at
    ):
        # Since then the clock has run no longer than the calendar, and no longer
        # than since the last look, when the report was not there yet.
        age = max(heard_until - reported_at, ZERO)
        mark = max(hearing.noted, clock.reading - age)
        after = replace(after, heard_at=reported_at, mark=max(hearing.mark, mark))
    voice = _voice(after, cadence, clock.reading)
    if voice is hearing.voice:
        return after
    return replace(after, voice=voice, since=now, turned=clock.reading)


def next_reading(hearing: Hearing, cadence: timedelta | None) -> timedelta | None:
    """Return the reading after which the clock alone may change something."""
    if cadence is None:
        return None
    match hearing.voice:
        case Voice.SILENT:
            return None
        case Voice.HEARD:
            return hearing.mark + cadence
        case Voice.RETURNING:
            return min(hearing.turned + _settling(cadence), hearing.mark + cadence)


def condition_of_silence(voice: Voice, *, behind: bool) -> Condition:
    """Tell whether the alert about an agency's silence holds."""
    if behind:
        return Condition.UNKNOWN
    return Condition.HOLDS if voice is Voice.SILENT else Condition.CLEAR


def policy_of_silence(cadence: timedelta | None) -> Policy:
    """Return how patient that alert is: the cadence was the waiting.

    It is kept for as long as targets wait for an agency that returned, so an agency
    that is always a little late is one alert and not one a day.
    """
    keep = ZERO if cadence is None else _settling(cadence)
    return Policy(wait=ZERO, keep=keep)


@dataclass(frozen=True, slots=True)
class Gap:
    """What a target lacks because somebody is not heard from.

    Attributes:
        share_bp: What silent and returning agencies brought of the last 28 reported
            days, in basis points.
        is_required_silent: Whether one of them is required.
        is_required_unheard: Whether a required agency never reported.
    """

    share_bp: int = 0
    is_required_silent: bool = False
    is_required_unheard: bool = False


NO_GAP: Final = Gap()


def reason_of(gap: Gap, limit_bp: int = DEFAULT_SHARE_BP) -> Reason | None:
    """Say why a target cannot be judged because of silence; None: it can be."""
    if gap.is_required_silent or gap.share_bp >= limit_bp:
        return Reason.SILENT
    return Reason.NEVER_REPORTED if gap.is_required_unheard else None


def share_bp(brought: Iterable[tuple[int, bool]]) -> int:
    """Return what agencies that are not heard brought, rounded down.

    Args:
        brought: Per agency what its effects come to, each day's by its size whatever
            its sign, and whether it is silent or returning.
    """
    total = silent = 0
    for size, is_unheard in brought:
        total += size
        silent += size if is_unheard else 0
    return silent * FULL_BP // total if total else 0


def _voice(hearing: Hearing, cadence: timedelta | None, reading: timedelta) -> Voice:
    if cadence is None:
        return Voice.HEARD
    if reading - hearing.mark > cadence:
        return Voice.SILENT
    match hearing.voice:
        case Voice.HEARD:
            return Voice.HEARD
        case Voice.SILENT:
            # A longer cadence in the catalogue ends a silence too, and as little is
            # known of what the agency owes.
            return Voice.RETURNING
        case Voice.RETURNING:
            is_settled = reading - hearing.turned >= _settling(cadence)
            return Voice.HEARD if is_settled else Voice.RETURNING


def _settling(cadence: timedelta) -> timedelta:
    return min(cadence, SETTLE_MAX)
