"""When the service is killed and Alertmanager is away: all follows from a seed."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.support.hasty_truth import LONG_DAY, LOOKS_A_DAY, Look, looks_of

STRETCHES: Final = 7
"""In which Alertmanager is away, beside the one of more than an hour."""
STRETCH_DAYS_MAX: Final = 8
LONG_ABSENCE_LOOKS: Final = 16
DELAY_SECONDS_MAX: Final = 0.12
"""About as long as a day's figures, or all that follows from a tick, take."""


class Moment(StrEnum):
    """What the service is at when it dies."""

    MIDNIGHT = "copying the day's figures, and away over midnight"
    LOOK = "judging and telling"


class Manner(StrEnum):
    """How Alertmanager is away."""

    CLOSED = "nobody listens"
    BUSY = "503"


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL.

    Attributes:
        look: At which.
        moment: Of it.
        delay_seconds: From when that moment begins; real seconds.
    """

    look: Look
    moment: Moment
    delay_seconds: float


@dataclass(frozen=True, slots=True)
class Absence:
    """One stretch without Alertmanager.

    Attributes:
        first: The look at which it begins.
        back: The first look at which it is there again.
        manner: How it is away.
    """

    first: Look
    back: Look
    manner: Manner

    def covers(self, look: Look) -> bool:
        """Tell whether Alertmanager is away at a look."""
        return self.first <= look < self.back


@dataclass(frozen=True, slots=True)
class Plan:
    """What befalls the service in its year."""

    kills: tuple[Kill, ...]
    absences: tuple[Absence, ...]

    def kill_at(self, look: Look) -> Kill | None:
        """Return the kill at a look, if there is one."""
        return next((kill for kill in self.kills if kill.look == look), None)

    def absence_at(self, look: Look) -> Absence | None:
        """Return the absence that covers a look, if one does."""
        return next((each for each in self.absences if each.covers(look)), None)


def make_plan(
    seed: int,
    days: int,
    *,
    busy: Collection[Look],
    waiting: Collection[int],
    kills: int,
) -> Plan:
    """Lay down what happens when.

    Args:
        seed: Everything follows from it.
        days: Of the story.
        busy: Looks at which somebody has to be told something: half of the kills
            are at such.
        waiting: Days at whose beginning nobody is away: when some alert waits, for
            which a look by one who has not copied all yet pays nothing, and when it is
            said for good what is met and missed.
        kills: How many; of a short story fewer.
    """
    rng = random.Random(seed)  # noqa: S311 -- a repeatable choice of moments
    looks = [look for day in range(days) for look in looks_of(day)]
    telling = [look for look in looks if look in set(busy)]
    some = rng.sample(telling, min(kills // 2, len(telling)))
    rest = [look for look in looks if look not in set(some)]
    some += rng.sample(rest, min(kills - len(some), len(rest)))
    return Plan(
        tuple(_kill(rng, look, waiting) for look in sorted(some)),
        tuple(_absences(rng, looks, days)),
    )


def _kill(rng: random.Random, look: Look, waiting: Collection[int]) -> Kill:
    # Figures come before the day's first look.
    is_free = look.minute == 0 and look.day not in waiting
    moments = tuple(Moment) if is_free else (Moment.LOOK,)
    return Kill(look, rng.choice(moments), rng.uniform(0, DELAY_SECONDS_MAX))


def _absences(
    rng: random.Random, looks: Sequence[Look], days: int
) -> Sequence[Absence]:
    found = []
    if days > LONG_DAY:
        long_day = looks_of(LONG_DAY)
        found.append(Absence(long_day[0], long_day[LONG_ABSENCE_LOOKS], Manner.CLOSED))
    later = [look for look in looks if look.day > LONG_DAY]
    part = len(later) // STRETCHES
    longest = min(STRETCH_DAYS_MAX * LOOKS_A_DAY, part - 2)
    for number in range(STRETCHES if longest > 0 else 0):
        length = rng.randint(1, longest)
        first = part * number + rng.randint(0, part - length - 2)
        manner = tuple(Manner)[number % len(Manner)]
        found.append(Absence(later[first], later[first + length], manner))
    return found
