"""What is told on `uptake.alerts`."""

from datetime import datetime
from typing import Final

from services.alerting.core.alerts import SEVERITIES
from services.alerting.core.evaluation import AlertLook, Evaluation
from services.alerting.core.life_cycle import State
from services.alerting.core.status import FULL_BP, basis_points
from services.alerting.core.texts import whole
from shared.events.alert_v1 import AlertDataV1, AlertKind, AlertState, AlertV1

SOURCE: Final = "/uptake/alerting"
TYPE: Final = "uptake.alert.changed"


def message_id(look: AlertLook, state: State) -> str:
    """Name a transition: the same however often and to whomever it is told."""
    return f"{look.fingerprint}/{look.life.episode}/{state.value}"


def render_notice(
    result: Evaluation, look: AlertLook, state: State, now: datetime
) -> bytes:
    """Render one transition as a structured CloudEvent.

    Its id is the same however often it is delivered.
    """
    target, seen = result.target, result.assessment
    message = AlertV1(
        id=message_id(look, state),
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
    return message.model_dump_json().encode()


def _decimal(basis: int | None) -> str | None:
    """Write basis points as a decimal fraction: numbers never travel as floats."""
    if basis is None:
        return None
    sign, size = ("-" if basis < 0 else ""), abs(basis)
    return f"{sign}{size // FULL_BP}.{size % FULL_BP:04d}"
