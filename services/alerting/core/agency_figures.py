"""The figures that a text about an agency may name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.alerting.core.figures import Figure
from services.alerting.core.speech import Language, Speech, inside

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class AgencySubject:
    """What a text about an agency and an indicator speaks of.

    Only what stays true until the next look: while a silence lasts nobody looks again,
    so instants are told and not durations.

    Attributes:
        agency: The agency's id.
        agency_name: For people.
        indicator_name: In English.
        indicator_name_vi: In Vietnamese.
        timezone: In which it is said when.
        heard_at: When it last reported; None if it never did.
        expected_at: Since when reports are expected.
        cadence: Longest time between two reports; None: any.
    """

    agency: str
    agency_name: str
    indicator_name: str
    indicator_name_vi: str
    timezone: str
    heard_at: datetime | None
    expected_at: datetime
    cadence: timedelta | None


def write_agency_figure(
    figure: Figure, subject: AgencySubject, speech: Speech
) -> str | None:
    """Write a figure of an agency in a language; None where there is none of it now."""
    return _WRITERS[figure](subject, speech)


def _indicator(subject: AgencySubject, speech: Speech) -> str:
    is_vietnamese = speech.language is Language.VIETNAMESE
    return inside(
        subject.indicator_name_vi if is_vietnamese else subject.indicator_name
    )


def _last_report(subject: AgencySubject, speech: Speech) -> str | None:
    return _moment(subject.heard_at, subject, speech)


def _expected_since(subject: AgencySubject, speech: Speech) -> str | None:
    """Of somebody who has reported it no longer matters."""
    expected = subject.expected_at if subject.heard_at is None else None
    return _moment(expected, subject, speech)


def _every_hours(subject: AgencySubject, speech: Speech) -> str | None:
    return None if subject.cadence is None else speech.count(subject.cadence // _HOUR)


def _moment(at: datetime | None, subject: AgencySubject, speech: Speech) -> str | None:
    return (
        None if at is None else speech.moment(at.astimezone(ZoneInfo(subject.timezone)))
    )


_WRITERS: Final[Mapping[Figure, Callable[[AgencySubject, Speech], str | None]]] = {
    Figure.AGENCY: lambda subject, _: subject.agency,
    Figure.AGENCY_NAME: lambda subject, _: subject.agency_name,
    Figure.INDICATOR: _indicator,
    Figure.LAST_REPORT: _last_report,
    Figure.EXPECTED_SINCE: _expected_since,
    Figure.EVERY_HOURS: _every_hours,
}

AGENCY_FIGURES: Final = frozenset(_WRITERS)
"""What texts about agencies may name."""
