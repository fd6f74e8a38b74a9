"""Keeping alerts about agencies, and what is told of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.alerting.core.agency_alerts import AgencyAlert
from services.alerting.core.webhooks import Webhook
from services.alerting.sql import QUERIES
from services.alerting.store.messages import make_agency_notice
from services.alerting.store.notices import queue_notices
from services.alerting.store.rows import map_alert_to_row
from services.alerting.store.session import Session, columns


async def save_agency_alerts(
    session: Session,
    alerts: Iterable[AgencyAlert],
    webhooks: Sequence[Webhook],
    now: datetime,
) -> None:
    """Write where alerts about agencies are, and queue what is to be told.

    Args:
        session: In the transaction of the looks.
        alerts: Each once.
        webhooks: All there are.
        now: The instant of the looks.
    """
    kept = list(alerts)
    if not kept:
        return
    rows = [map_alert_to_row(alert) for alert in kept]
    await session.execute(QUERIES["save_alerts"], *columns(rows, 15), now)
    notices = [
        make_agency_notice(alert, alert.notice, now)
        for alert in kept
        if alert.notice is not None
    ]
    await queue_notices(session, webhooks, notices, now)
