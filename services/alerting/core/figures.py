"""The figures that a text may name: a closed set, each with its one meaning."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from services.alerting.core.path import direction
from services.alerting.core.risk import Outlook
from services.alerting.core.speech import Language, Speech, inside, whole
from services.alerting.core.status import Assessment, basis_points
from shared.catalogue.model import Target


@dataclass(frozen=True, slots=True)
class Names:
    """What a target's indicator and place are called."""

    indicator: str
    indicator_vi: str
    place: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a text about a target speaks of."""

    target: Target
    names: Names
    now: Assessment
    today: date


class Figure(StrEnum):
    """What may stand in braces in a text; part of the public contract."""

    PLACE = "place"
    INDICATOR = "indicator"
    TARGET = "target"
    TODAY = "today"
    ACTUAL = "actual"
    DUE_NOW = "due_now"
    POSITION = "position"
    BEHIND_BY = "behind_by"
    START = "start"
    START_DAY = "start_day"
    GOAL = "goal"
    DUE = "due"
    MISSING = "missing"
    NOW_PER_DAY = "now_per_day"
    NOW_PER_DAY_28 = "now_per_day_28"
    NEEDED_PER_DAY = "needed_per_day"
    CHANCE = "chance"
    EARLIEST = "earliest"
    MEDIAN = "median"
    LATEST = "latest"
    ABOUT = "about"
    NOT_BEFORE = "not_before"
    HORIZON = "horizon"
    AGENCY = "agency"
    AGENCY_NAME = "agency_name"
    LAST_REPORT = "last_report"
    EXPECTED_SINCE = "expected_since"
    EVERY_HOURS = "every_hours"


SOMETIMES: Final = frozenset(
    {
        Figure.BEHIND_BY,
        Figure.MISSING,
        Figure.NOW_PER_DAY,
        Figure.NOW_PER_DAY_28,
        Figure.NEEDED_PER_DAY,
        Figure.CHANCE,
        Figure.EARLIEST,
        Figure.MEDIAN,
        Figure.LATEST,
        Figure.ABOUT,
        Figure.NOT_BEFORE,
        Figure.HORIZON,
        Figure.LAST_REPORT,
        Figure.EXPECTED_SINCE,
        Figure.EVERY_HOURS,
    }
)
"""Figures that there are not always; a sentence that names one may be left out."""


def write_figure(figure: Figure, subject: Subject, speech: Speech) -> str | None:
    """Write a figure of a target in a language; None where there is none of it now."""
    return _WRITERS[figure](subject, speech)


def _indicator(subject: Subject, speech: Speech) -> str:
    names = subject.names
    is_vietnamese = speech.language is Language.VIETNAMESE
    return inside(names.indicator_vi if is_vietnamese else names.indicator)


def _behind_by(subject: Subject, speech: Speech) -> str | None:
    """Write how far the path is away; of the figures shown, so that they add up."""
    return _distance(subject, speech, to=whole(subject.now.expected))


def _missing(subject: Subject, speech: Speech) -> str | None:
    return _distance(subject, speech, to=subject.target.goal_value)


def _distance(subject: Subject, speech: Speech, *, to: int) -> str | None:
    away = direction(subject.target) * (to - subject.now.actual)
    return speech.count(away) if away > 0 else None


def _change(subject: Subject, speech: Speech, rate: Fraction | None) -> str | None:
    """Write a daily change as it is: rates are signed towards the goal, people's not.

    Without a day left nothing that comes or is needed matters any more.
    """
    if rate is None or subject.now.required_per_day is None:
        return None
    return speech.rate(direction(subject.target) * rate)


def _outlook(subject: Subject) -> Outlook | None:
    outlook = subject.now.outlook
    return None if outlook is None or outlook.miss_bp is None else outlook


def _chance(subject: Subject, speech: Speech) -> str | None:
    outlook = _outlook(subject)
    if outlook is None or outlook.miss_bp is None:
        return None
    return speech.chance(outlook.miss_bp)


def _span(subject: Subject, speech: Speech) -> tuple[str, str] | None:
    """Write between which days the goal will be reached; None without both."""
    outlook = _outlook(subject)
    if outlook is None or outlook.p10 is None or outlook.p90 is None:
        return None
    first, last = (speech.when(day, outlook.day) for day in (outlook.p10, outlook.p90))
    return first, last


def _earliest(subject: Subject, speech: Speech) -> str | None:
    span = _span(subject, speech)
    return None if span is None or span[0] == span[1] else span[0]


def _latest(subject: Subject, speech: Speech) -> str | None:
    span = _span(subject, speech)
    return None if span is None or span[0] == span[1] else span[1]


def _about(subject: Subject, speech: Speech) -> str | None:
    span = _span(subject, speech)
    return None if span is None or span[0] != span[1] else span[0]


def _median(subject: Subject, speech: Speech) -> str | None:
    outlook = _outlook(subject)
    if outlook is None or outlook.p50 is None:
        return None
    return speech.when(outlook.p50, outlook.day)


def _not_before(subject: Subject, speech: Speech) -> str | None:
    outlook = _outlook(subject)
    if outlook is None or outlook.p10 is None or outlook.p90 is not None:
        return None
    return speech.when(outlook.p10, outlook.day)


def _horizon(subject: Subject, speech: Speech) -> str | None:
    outlook = _outlook(subject)
    return speech.horizon if outlook is not None and outlook.p10 is None else None


_WRITERS: Final[Mapping[Figure, Callable[[Subject, Speech], str | None]]] = {
    Figure.PLACE: lambda subject, _: subject.names.place,
    Figure.INDICATOR: _indicator,
    Figure.TARGET: lambda subject, _: subject.target.id,
    Figure.TODAY: lambda subject, speech: speech.day(subject.today),
    Figure.ACTUAL: lambda subject, speech: speech.count(subject.now.actual),
    Figure.DUE_NOW: lambda subject, speech: speech.count(whole(subject.now.expected)),
    Figure.POSITION: lambda subject, speech: speech.ratio(
        basis_points(subject.now.position)
    ),
    Figure.BEHIND_BY: _behind_by,
    Figure.START: lambda subject, speech: speech.count(subject.target.start_value),
    Figure.START_DAY: lambda subject, speech: speech.day(subject.target.start_date),
    Figure.GOAL: lambda subject, speech: speech.count(subject.target.goal_value),
    Figure.DUE: lambda subject, speech: speech.day(subject.target.due),
    Figure.MISSING: _missing,
    Figure.NOW_PER_DAY: lambda subject, speech: _change(
        subject, speech, subject.now.short_pace.achieved_per_day
    ),
    Figure.NOW_PER_DAY_28: lambda subject, speech: _change(
        subject, speech, subject.now.long_pace.achieved_per_day
    ),
    Figure.NEEDED_PER_DAY: lambda subject, speech: _change(
        subject, speech, subject.now.required_per_day
    ),
    Figure.CHANCE: _chance,
    Figure.EARLIEST: _earliest,
    Figure.MEDIAN: _median,
    Figure.LATEST: _latest,
    Figure.ABOUT: _about,
    Figure.NOT_BEFORE: _not_before,
    Figure.HORIZON: _horizon,
}

TARGET_FIGURES: Final = frozenset(_WRITERS)
"""What texts about targets may name."""
