"""What is told on `uptake.alerts`."""

from datetime import datetime
from typing import Final

from services.alerting.core.agency_alerts import (
    AGENCY_SEVERITIES,
    AgencyAlert,
)
from services.alerting.core.alerts import SEVERITIES
from services.alerting.core.evaluation import AlertLook, Evaluation
from services.alerting.core.life_cycle import State
from services.alerting.core.status import FULL_BP, basis_points
from services.alerting.core.texts import whole
from shared.events.alert_v1 import AlertDataV1, AlertKind, AlertState, AlertV1

SOURCE: Final = "/uptake/alerting"
TYPE: Final = "uptake.alert.changed"


def render_notice(
    result: Evaluation, look: AlertLook, state: State, now: datetime
) -> bytes:
    """Render one transition as a structured CloudEvent.

    Its id is the same however often it is delivered.
    """
    target, seen = result.target, result.assessment
    episode = look.life.episode
    message = AlertV1(
        id=f"{look.fingerprint}/{episode}/{state.value}",
        source=SOURCE,
        type=TYPE,
        subject=target.id,
        time=now,
        data=AlertDataV1(
            kind=AlertKind(look.kind.value),
            state=AlertState(state.value),
            severity=SEVERITIES[look.kind],
            episode=episode,
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
    return message.model_dump_json().encode()


def render_agency_notice(alert: AgencyAlert, state: State, now: datetime) -> bytes:
    """Render one transition of an alert about an agency, as `render_notice`."""
    duty, episode = alert.duty, alert.life.episode
    message = AlertV1(
        id=f"{alert.fingerprint}/{episode}/{state.value}",
        source=SOURCE,
        type=TYPE,
        subject=duty.agency,
        time=now,
        data=AlertDataV1(
            kind=AlertKind(alert.kind.value),
            state=AlertState(state.value),
            severity=AGENCY_SEVERITIES[alert.kind],
            episode=episode,
            fingerprint=alert.fingerprint,
            target="",
            indicator=duty.indicator,
            locality=duty.locality,
            status=alert.status,
            since=now,
            summary_en=alert.summary.english,
            summary_vi=alert.summary.vietnamese,
        ),
    )
    return message.model_dump_json().encode()


def _decimal(basis: int | None) -> str | None:
    """Write basis points as a decimal fraction: numbers never travel as floats."""
    if basis is None:
        return None
    sign, size = ("-" if basis < 0 else ""), abs(basis)
    return f"{sign}{size // FULL_BP}.{size % FULL_BP:04d}"
