"""What has to be told of the scripted year where a day is a few looks long.

A year through the real service takes minutes only if alerts have to last ten minutes
and an agency may be silent for two hours. Somebody looks at midnight, and five and ten
minutes after it; on one day he stays for longer. A look pays for five minutes, also
the first one of a day. Nothing of ours is imported.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from tests.support.scripted_year import END, OUTAGES, Province
from tests.support.year_truth import (
    CLEAR,
    HOLDS,
    UNKNOWN,
    AlertTruth,
    TargetTruth,
    Told,
)

SILENT: Final = "AgencySilent"
STEP_MINUTES: Final = 5
LOOKS_A_DAY: Final = 3
LONG_DAY: Final = 7
"""On the first day of judgement most is told at once."""
LOOKS_OF_LONG_DAY: Final = 20
PATIENCE_SECONDS: Final = 600
EARNED_SECONDS: Final = 300
CADENCE_SECONDS: Final = 7_200
SETTLED_SECONDS: Final = 3_600
"""How long an agency that reports again is given to send what it owes."""


class Look(NamedTuple):
    """An instant at which somebody looks; looks are in the order of their instants."""

    day: int
    minute: int


class Episode(NamedTuple):
    """One alert from when it is raised to its end; None: not in this story."""

    subject: str
    kind: str
    number: int
    raised: Look
    over: Look | None


@dataclass(frozen=True, slots=True)
class Truth:
    """What is expected of one province.

    Attributes:
        told: Each state that somebody has to be told of, in order.
        statuses: Status of its target at the end of each day's looks, by day.
        waits: Days at whose first look an alert was waiting to be raised or over.
    """

    told: tuple[Told, ...]
    statuses: tuple[str, ...]
    waits: frozenset[int]


def looks_of(day: int) -> tuple[Look, ...]:
    """List a day's looks."""
    number = LOOKS_OF_LONG_DAY if day == LONG_DAY else LOOKS_A_DAY
    return tuple(Look(day, STEP_MINUTES * each) for each in range(number))


def is_outage(day: int) -> bool:
    """Tell whether the platform itself is behind, so that nothing can be judged."""
    return any(day in outage for outage in OUTAGES)


def expected_truth(
    province: Province, days: int = END, *, is_late: bool = False
) -> Truth:
    """Work out what is expected of one province; nothing of risks.

    Args:
        province: Its year.
        days: Of the story.
        is_late: Whether a target learns one look later that its agency is silent, or
            is so no more: both are right, since one look does not wait for the other.
    """
    target = TargetTruth(province, PATIENCE_SECONDS)
    agency = _AgencyTruth(province)
    alerts = [agency.alert, *target.alerts.values()]
    statuses = []
    waits = set()
    is_gap = False
    for day in range(days):
        if any(alert.state in {"pending", "kept"} for alert in alerts):
            waits.add(day)
        is_blind = is_outage(day)
        for look in looks_of(day):
            before = is_gap
            agency.look(look, is_blind=is_blind)
            is_gap = agency.leaves_gap
            target.look(
                day,
                is_blind=is_blind or (before if is_late else is_gap),
                chance=None,
                earned=EARNED_SECONDS,
                minute=look.minute,
            )
        statuses.append(target.status)
    told = [*target.told, *agency.alert.told]
    return Truth(tuple(sorted(told)), tuple(statuses), frozenset(waits))


def episodes(told: Iterable[Told]) -> list[Episode]:
    """List what was raised, by when."""
    raised: dict[tuple[str, str, int], Look] = {}
    over: Mapping[tuple[str, str, int], Look]
    over = {}
    for each in told:
        key = (each.target, each.kind, each.episode)
        if each.state == "firing":
            raised[key] = Look(each.day, each.minute)
        elif each.state == "resolved":
            over[key] = Look(each.day, each.minute)
    found = [Episode(*key, at, over.get(key)) for key, at in raised.items()]
    return sorted(found, key=lambda each: (each.subject, each.raised, each.kind))


def raised_at(every: Iterable[Episode], look: Look) -> Iterator[Episode]:
    """List what is raised after a look."""
    for each in every:
        if each.raised <= look and (each.over is None or look < each.over):
            yield each


class _AgencyTruth:
    """Whether the agency of a province is heard; it brings all that its target has."""

    def __init__(self, province: Province) -> None:
        self.alert = AlertTruth(province.agency, SILENT, 0, SETTLED_SECONDS)
        self._province = province
        self._listened = 0
        self._heard = 0
        """For how long somebody had listened at its last report."""
        self._turned = 0
        self._reported = -1
        self._voice = "heard"

    @property
    def leaves_gap(self) -> bool:
        """Whether nothing can be said of the target because of it."""
        if self._province.is_required and self._reported < 0:
            return True
        return self._voice != "heard" and bool(self._province.reports)

    def look(self, look: Look, *, is_blind: bool) -> None:
        """Listen; who is behind hears nothing, and calls nobody silent."""
        if not is_blind:
            self._listen(look.day)
        now = HOLDS if self._voice == "silent" else CLEAR
        self.alert.see(
            look.day,
            UNKNOWN if is_blind else now,
            earned=EARNED_SECONDS,
            minute=look.minute,
        )

    def _listen(self, day: int) -> None:
        self._listened += EARNED_SECONDS
        reported = self._province.last_report(day)
        if reported > self._reported:
            # It came between the look before this one and this one.
            self._heard = self._listened - EARNED_SECONDS
            self._reported = reported
        before = self._voice
        if self._listened - self._heard > CADENCE_SECONDS:
            self._voice = "silent"
        elif before == "silent":
            self._voice = "returning"
        elif before == "returning" and self._is_settled():
            self._voice = "heard"
        if self._voice != before:
            self._turned = self._listened

    def _is_settled(self) -> bool:
        return self._listened - self._turned >= SETTLED_SECONDS
