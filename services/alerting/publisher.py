"""Sends notices to Kafka."""

from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaProducer

from shared.events.adoption_v1 import HEADERS
from shared.events.topics import ALERTS
from shared.kafka.producer import Pending, SteadyProducer

PUBLISH_SECONDS_MAX: Final = 20.0


class NoticePublisher:
    """Appends notices to `uptake.alerts`, keyed by the alert's fingerprint."""

    def __init__(self, producer: SteadyProducer) -> None:
        self._producer = producer

    async def publish(self, notices: Sequence[tuple[str, bytes]]) -> None:
        """Append notices in order and wait until Kafka has them all.

        Args:
            notices: Fingerprint and message of each.

        Raises:
            TransientError: Kafka did not confirm all of them in time; some may be in
                the log, and are appended again with the same ids.
        """

        async def submit(client: AIOKafkaProducer, pending: Pending) -> None:
            for fingerprint, message in notices:
                sent = await client.send(
                    ALERTS, message, key=fingerprint.encode(), headers=HEADERS
                )
                pending.append(sent)

        await self._producer.confirm(submit, timeout_seconds=PUBLISH_SECONDS_MAX)
