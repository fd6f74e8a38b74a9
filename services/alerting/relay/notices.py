"""Transitions, from the outbox to `uptake.alerts`."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from services.alerting.publisher import NoticePublisher
from services.alerting.store import AlertStore
from shared.backoff import wait_out

NOTICES_MAX: Final = 500
POLL_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)


class NoticeRelay:
    """Empties the outbox, at least once each, in order."""

    def __init__(
        self,
        store: AlertStore,
        publisher: NoticePublisher,
        *,
        on_outage: Callable[[str | None], None],
    ) -> None:
        """Take what is needed.

        Args:
            store: Holds the outbox.
            publisher: Sends to Kafka.
            on_outage: Told why notices have to wait, and None once they need not.
        """
        self._store = store
        self._publisher = publisher
        self._on_outage = on_outage

    async def run(self) -> None:
        """Publish until cancelled.

        A crash between Kafka's confirmation and the commit repeats the batch with
        the same ids.
        """
        while True:
            count = await wait_out(
                "relay_notices",
                lambda: self._store.relay_outbox(NOTICES_MAX, self._publisher.publish),
                on_outage=self._on_outage,
            )
            if count:
                _log.info("notices_published", extra={"notices": count})
            if count < NOTICES_MAX:
                await asyncio.sleep(POLL_SECONDS)
