"""When a webhook is tried again, how many messages at a time, and when it is given up.

Two things wait. A *message* waits by itself when it was the one that failed, so that
one that its receiver cannot take holds up no other. A *receiver* waits when nothing
got through, so that an outage costs it one try at a time and not all of them; back
again, it is sent one message, then two, four and so on.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Final

MESSAGE_FIRST: Final = timedelta(seconds=5)
MESSAGE_LONGEST: Final = timedelta(minutes=10)
RECEIVER_FIRST: Final = timedelta(seconds=1)
RECEIVER_LONGEST: Final = timedelta(minutes=5)
ASKED_LONGEST: Final = timedelta(hours=1)
"""Longest wait that a receiver's Retry-After is followed for."""
ALLOWANCE_MAX: Final = 64
REFUSALS_MAX: Final = 5
KEEP: Final = timedelta(hours=72)
_DOUBLINGS_MAX: Final = 16
_OF_THIS_MESSAGE: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.GONE,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class Outcome(StrEnum):
    """What came of a try."""

    TAKEN = "taken"
    REFUSED = "refused"
    """The receiver is there and does not want this message."""
    AWAY = "away"
    """It gave no answer, or one that says nothing about the message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try, and why.

    Attributes:
        outcome: What came of it.
        reason: A short code, e.g. `status_503`; nothing that the receiver wrote.
        retry_after: For how long it asks to be left alone.
    """

    outcome: Outcome
    reason: str
    retry_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that was not taken yet.

    Attributes:
        queued_at: Since when it waits.
        next_at: Not tried before.
        tries: How often it was tried.
        refusals: How often the receiver did not want it.
        reason: Why the last try failed; empty before the first.
    """

    queued_at: datetime
    next_at: datetime
    tries: int = 0
    refusals: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A message that was taken."""

    tries: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Dead:
    """A message that was given up: kept, shown, and not sent again."""

    tries: int
    refusals: int
    at: datetime
    reason: str


Fate = Waiting | Told | Dead


@dataclass(frozen=True, slots=True)
class Health:
    """How a receiver has been.

    Attributes:
        failures: Rounds in a row in which nothing got through.
        allowance: Messages that the next round may hold.
    """

    failures: int = 0
    allowance: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    """A receiver after a round, and when the next one may begin."""

    health: Health
    next_at: datetime


def answer_of(status: int, retry_after: timedelta = timedelta()) -> Answer:
    """Judge the status that a receiver answered with.

    Redirects are not followed, so 3xx is no success; a wrong password or path (401,
    403, 404) can be mended at the receiver, so it is waited for as an outage is.
    """
    reason = f"status_{status}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Answer(Outcome.TAKEN, reason)
    if status in _OF_THIS_MESSAGE:
        return Answer(Outcome.REFUSED, reason)
    return Answer(Outcome.AWAY, reason, min(retry_after, ASKED_LONGEST))


def judge(
    waiting: Waiting,
    answer: Answer,
    *,
    now: datetime,
    spread: float,
    keep: timedelta = KEEP,
) -> Fate:
    """Tell what becomes of a message after a try.

    Args:
        waiting: The message before it.
        answer: What came of it.
        now: The instant after it.
        spread: From 0 to 1, by chance: keeps tries apart.
        keep: How long a message that cannot be delivered is tried.
    """
    tries = waiting.tries + 1
    refusals = waiting.refusals + (answer.outcome is Outcome.REFUSED)
    if answer.outcome is Outcome.TAKEN:
        return Told(tries, now)
    if refusals >= REFUSALS_MAX or is_too_old(waiting.queued_at, now, keep):
        return Dead(tries, refusals, now, answer.reason)
    return Waiting(
        waiting.queued_at,
        now + _wait(MESSAGE_FIRST, MESSAGE_LONGEST, tries, spread),
        tries,
        refusals,
        answer.reason,
    )


def is_too_old(queued_at: datetime, now: datetime, keep: timedelta = KEEP) -> bool:
    """Tell whether a message has waited for as long as messages may."""
    return now - queued_at >= keep


def after_round(
    health: Health, answers: list[Answer], *, now: datetime, spread: float
) -> Pause:
    """Tell how a receiver is after a round of messages, and when it is tried again.

    Args:
        health: Before it.
        answers: At least one.
        now: The instant after it.
        spread: From 0 to 1, by chance.
    """
    away = sum(answer.outcome is Outcome.AWAY for answer in answers)
    asked = max(answer.retry_after for answer in answers)
    if away == 0:
        more = min(ALLOWANCE_MAX, health.allowance * 2)
        return Pause(Health(0, more), now)
    if away < len(answers):
        # It works, and less would do it good.
        fewer = max(1, health.allowance // 2)
        wait = _wait(RECEIVER_FIRST, RECEIVER_LONGEST, 1, spread)
        return Pause(Health(0, fewer), now + max(wait, asked))
    failures = health.failures + 1
    wait = _wait(RECEIVER_FIRST, RECEIVER_LONGEST, failures, spread)
    return Pause(
        replace(health, failures=failures, allowance=1), now + max(wait, asked)
    )


def _wait(
    first: timedelta, longest: timedelta, attempt: int, spread: float
) -> timedelta:
    """Return a wait that doubles with each attempt, shortened by up to a half."""
    whole = min(longest, first * (1 << min(attempt - 1, _DOUBLINGS_MAX)))
    return whole * (1 - spread / 2)
