"""What an alert says, in English and in Vietnamese."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Final, assert_never

from services.alerting.core.agency_figures import AgencySubject, write_agency_figure
from services.alerting.core.alerts import Kind
from services.alerting.core.figures import Figure, Names, Subject, write_figure
from services.alerting.core.shipped_texts import SHIPPED
from services.alerting.core.speech import ENGLISH, VIETNAMESE, Speech, whole
from services.alerting.core.status import Assessment, Status
from services.alerting.core.templates import TextName, Texts
from shared.catalogue.model import Target

__all__ = ["Names", "Summary", "Tense", "summarize", "whole"]


@dataclass(frozen=True, slots=True)
class Summary:
    """One alert's text in both languages."""

    english: str
    vietnamese: str


class Tense(StrEnum):
    """Whether an alert speaks of what is, of what was, or of what is gone."""

    HOLDS = "holds"
    OVER = "over"
    REMOVED = "removed"


_OF_KIND: Final = {
    Kind.LAGGING: TextName.LAGGING,
    Kind.AT_RISK: TextName.AT_RISK,
    Kind.MISSED: TextName.MISSED,
    Kind.MET: TextName.MET,
}


def summarize(
    kind: Kind,
    target: Target,
    names: Names,
    now: Assessment,
    *,
    today: date,
    tense: Tense,
    texts: Texts = SHIPPED,
) -> Summary:
    """Say what an alert is about, with the figures that explain it."""
    name = _text_name(kind, now.status, tense)
    subject = Subject(target, names, now, today)

    def say(speech: Speech) -> str:
        def write(figure: Figure) -> str | None:
            return write_figure(figure, subject, speech)

        said = texts.render(name, speech.language, write)
        if target.illustrative:
            mark = texts.render(TextName.ILLUSTRATIVE, speech.language, write)
            said = f"{mark} {said}"
        return said

    return Summary(say(ENGLISH), say(VIETNAMESE))


def summarize_agency(
    name: TextName, subject: AgencySubject, texts: Texts = SHIPPED
) -> Summary:
    """Say what an alert about an agency is about."""

    def say(speech: Speech) -> str:
        write = partial(write_agency_figure, subject=subject, speech=speech)
        return texts.render(name, speech.language, write)

    return Summary(say(ENGLISH), say(VIETNAMESE))


def _text_name(kind: Kind, status: Status, tense: Tense) -> TextName:
    match tense:
        case Tense.HOLDS:
            return _OF_KIND[kind]
        case Tense.OVER:
            # Where the target stands now, not what the alert was about.
            if status is Status.MET:
                return TextName.MET
            return TextName.MISSED if status is Status.MISSED else TextName.OVER
        case Tense.REMOVED:
            return TextName.REMOVED
        case _:
            assert_never(tense)
