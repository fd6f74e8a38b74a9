"""What is told on `uptake.alerts`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.alerting.core.agency_alerts import (
    AGENCY_SEVERITIES,
    AgencyKind,
    DutyLook,
    agency_fingerprint,
)
from services.alerting.core.alerts import SEVERITIES
from services.alerting.core.evaluation import AlertLook, Evaluation
from services.alerting.core.life_cycle import State
from services.alerting.core.status import FULL_BP, basis_points
from services.alerting.core.texts import whole
from services.alerting.core.webhooks import Transition
from shared.events.alert_v1 import AlertDataV1, AlertKind, AlertState, AlertV1

SOURCE: Final = "/uptake/alerting"
TYPE: Final = "uptake.alert.changed"


@dataclass(frozen=True, slots=True)
class Notice:
    """One transition, as everybody is told of it.

    Attributes:
        fingerprint: Of the alert.
        transition: What decides who is told.
        id: The same however often and to whomever it is told.
        body: A structured CloudEvent.
    """

    fingerprint: str
    transition: Transition
    id: str
    body: bytes


def make_notice(
    result: Evaluation, look: AlertLook, state: State, province: str, now: datetime
) -> Notice:
    """Render one transition of an alert about a target.

    Args:
        result: What the look found.
        look: At the alert.
        state: That it has now.
        province: Code of the province that the target is in, or empty.
        now: The instant of the transition.
    """
    target, seen = result.target, result.assessment
    message = AlertV1(
        id=f"{look.fingerprint}/{look.life.episode}/{state.value}",
        source=SOURCE,
        type=TYPE,
        subject=target.id,
        time=now,
        data=AlertDataV1(
            kind=AlertKind(look.kind.value),
            state=AlertState(state.value),
            severity=SEVERITIES[look.kind],
            episode=look.life.episode,
            fingerprint=look.fingerprint,
            target=target.id,
            indicator=target.indicator,
            locality=target.locality.code,
            status=seen.status.value,
            actual=seen.actual,
            expected=whole(seen.expected),
            goal=target.goal_value,
            due=target.due,
            position=_decimal(basis_points(seen.position)),
            since=now,
            summary_en=look.summary.english,
            summary_vi=look.summary.vietnamese,
        ),
    )
    transition = Transition(look.kind, state, province)
    return _notice(look.fingerprint, transition, message)


def make_agency_notice(
    kind: AgencyKind, look: DutyLook, state: State, now: datetime
) -> Notice:
    """Render one transition of an alert about an agency, as `make_notice`."""
    duty, episode = look.duty, look.life.episode
    fingerprint = agency_fingerprint(kind, duty.agency, duty.indicator)
    message = AlertV1(
        id=f"{fingerprint}/{episode}/{state.value}",
        source=SOURCE,
        type=TYPE,
        subject=duty.agency,
        time=now,
        data=AlertDataV1(
            kind=AlertKind(kind.value),
            state=AlertState(state.value),
            severity=AGENCY_SEVERITIES[kind],
            episode=episode,
            fingerprint=fingerprint,
            target="",
            indicator=duty.indicator,
            locality=duty.locality,
            status=look.hearing.voice.value,
            since=now,
            summary_en=look.summary.english,
            summary_vi=look.summary.vietnamese,
        ),
    )
    return _notice(fingerprint, Transition(kind, state, duty.province), message)


def _notice(fingerprint: str, transition: Transition, message: AlertV1) -> Notice:
    body = message.model_dump_json().encode()
    return Notice(fingerprint, transition, message.id, body)


def _decimal(basis: int | None) -> str | None:
    """Write basis points as a decimal fraction: numbers never travel as floats."""
    if basis is None:
        return None
    sign, size = ("-" if basis < 0 else ""), abs(basis)
    return f"{sign}{size // FULL_BP}.{size % FULL_BP:04d}"
