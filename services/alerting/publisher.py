"""Sends notices to Kafka."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka.structs import RecordMetadata
from faststream.kafka import KafkaBroker

from shared.events.topics import ALERTS
from shared.kafka.broker import outages_as_transient

PUBLISH_SECONDS_MAX: Final = 20.0
HEADERS: Final = {"content-type": "application/cloudevents+json"}


class NoticePublisher:
    """Appends notices to `uptake.alerts`, keyed by the alert's fingerprint."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._broker = broker

    async def publish(self, notices: Sequence[tuple[str, bytes]]) -> None:
        """Append notices in order and wait until Kafka has them all.

        Args:
            notices: Fingerprint and message of each.

        Raises:
            TransientError: Kafka did not confirm all of them in time; some may be in
                the log, and are appended again with the same ids.
        """
        async with outages_as_transient(), asyncio.timeout(PUBLISH_SECONDS_MAX):
            sent: list[asyncio.Future[RecordMetadata]] = [
                await self._broker.publish(
                    message,
                    topic=ALERTS,
                    key=fingerprint.encode(),
                    headers=HEADERS,
                    no_confirm=True,
                )
                for fingerprint, message in notices
            ]
            for confirmation in sent:
                await confirmation
