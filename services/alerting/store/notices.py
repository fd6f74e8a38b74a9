"""Transitions on their way to Kafka and to webhooks."""

from collections.abc import Sequence
from datetime import datetime

from services.alerting.core.webhooks import Webhook, addressees
from services.alerting.sql import DELIVERIES, QUERIES
from services.alerting.store.messages import Notice
from services.alerting.store.session import Session, columns


async def queue_notices(
    session: Session,
    webhooks: Sequence[Webhook],
    notices: Sequence[Notice],
    now: datetime,
) -> None:
    """Queue transitions for all that are told of them, in the same transaction.

    Args:
        session: The transaction that changes the alerts.
        webhooks: All there are.
        notices: In the order in which they are told.
        now: The instant of the transitions.
    """
    if not notices:
        return
    outbox = [(notice.fingerprint, notice.body) for notice in notices]
    await session.execute(QUERIES["add_to_outbox"], *columns(outbox, 2))
    messages = [
        (
            webhook,
            notice.fingerprint,
            notice.transition.state.value,
            notice.id,
            notice.body,
        )
        for notice in notices
        for webhook in addressees(webhooks, notice.transition)
    ]
    if messages:
        await session.execute(DELIVERIES["queue_messages"], *columns(messages, 5), now)
