"""Keeping alerts about agencies, and what is told of them."""

from collections.abc import Iterable
from datetime import datetime

from services.alerting.core.agency_alerts import AgencyAlert
from services.alerting.core.life_cycle import state_of
from services.alerting.sql import QUERIES, SILENCE
from services.alerting.store.messages import render_agency_notice
from services.alerting.store.rows import life_columns
from services.alerting.store.session import Session, columns


async def save_agency_alerts(
    session: Session, alerts: Iterable[AgencyAlert], now: datetime
) -> None:
    """Write where alerts about agencies are, and queue what is to be told.

    Args:
        session: In the transaction of the looks.
        alerts: Each once.
        now: The instant of the looks.
    """
    kept = list(alerts)
    if not kept:
        return
    rows = [
        (
            alert.fingerprint,
            alert.duty.agency,
            alert.duty.indicator,
            alert.kind.value,
            state_of(alert.life).value,
            alert.life.episode,
            *life_columns(alert.life),
            alert.summary.english,
            alert.summary.vietnamese,
        )
        for alert in kept
    ]
    await session.execute(SILENCE["save_agency_alerts"], *columns(rows, 14), now)
    notices = [
        (alert.fingerprint, render_agency_notice(alert, alert.notice, now))
        for alert in kept
        if alert.notice is not None
    ]
    if notices:
        await session.execute(QUERIES["add_to_outbox"], *columns(notices, 2))
