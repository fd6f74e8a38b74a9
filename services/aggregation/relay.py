"""The outbox's way to Kafka: totals, watermarks and rejected records.

At least once. Each round publishes what changed for the partitions that are ours and
forgets it once Kafka confirmed; a round's coalescing makes a flood of events one
message per key and second. Watermarks follow the totals of the same round, so that a
reader who has a watermark has everything before it.
"""

import asyncio
import base64
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from aiokafka import AIOKafkaProducer

from services.aggregation.core.place import Place
from services.aggregation.store.outbox import (
    FIRST_PLACE,
    ChangedTotal,
    OutboxStore,
    RejectedRecord,
)
from shared.backoff import wait_out
from shared.events.adoption_v1 import HEADERS
from shared.events.rejected_v1 import RejectedDataV1, RejectedV1
from shared.events.topics import EVENTS, REJECTED, TOTALS
from shared.events.totals_v1 import (
    DailyTotalV1,
    LastReportV1,
    StatedLevelV1,
    WatermarkV1,
)
from shared.http import Readiness
from shared.kafka.broker import make_producer, outages_as_transient
from shared.metrics import AggregationMetrics
from shared.settings import KafkaSettings

ROWS_MAX: Final = 5_000
# An idle partition's watermark moves with every fetch; readers need it within minutes.
ANNOUNCE_INTERVAL: Final = timedelta(seconds=10)

_log = logging.getLogger(__name__)
Message = tuple[bytes, bytes]


class OutboxRelay:
    """Publishes the outbox of the partitions that this process holds."""

    def __init__(
        self,
        settings: KafkaSettings,
        store: OutboxStore,
        metrics: AggregationMetrics,
        readiness: Readiness,
        *,
        interval_seconds: float,
    ) -> None:
        self._settings = settings
        self._store = store
        self._metrics = metrics
        self._on_outage = readiness.for_part("outbox")
        self._interval_seconds = interval_seconds
        self._announced: dict[int, datetime] = {}

    async def run(
        self, places: Mapping[int, Place], watermarks: Mapping[int, datetime]
    ) -> None:
        """Publish until cancelled.

        Args:
            places: The partitions that are ours now; changed by the consumer.
            watermarks: Up to which log time each is applied; changed by the consumer.
        """
        producer = make_producer(self._settings, linger_ms=5)

        async def start() -> None:
            async with outages_as_transient():
                await producer.start()

        try:
            await wait_out("start_producer", start, on_outage=self._on_outage)
            while True:
                await wait_out(
                    "publish_outbox",
                    lambda: self._round(producer, dict(places), dict(watermarks)),
                    on_outage=self._on_outage,
                )
                await asyncio.sleep(self._interval_seconds)
        finally:
            await producer.stop()

    async def _round(
        self,
        producer: AIOKafkaProducer,
        places: Mapping[int, Place],
        watermarks: Mapping[int, datetime],
    ) -> None:
        owned = sorted(places)
        if not owned:
            return
        # The watermarks were taken before the outbox is read, so what they cover is
        # already in it or published.
        published = await self._relay_totals(producer, owned)
        while rejected := await self._store.rejected(owned, ROWS_MAX):
            await _publish(producer, REJECTED, map(map_rejected_to_message, rejected))
            await self._store.forget_rejected(rejected)
            published += len(rejected)
        news = {
            partition: at
            for partition, at in watermarks.items()
            if partition in places and self._is_news(partition, at)
        }
        marks = [
            WatermarkV1(
                partition=partition, at=at, revision=places[partition].next_offset
            )
            for partition, at in news.items()
        ]
        await _publish(producer, TOTALS, map(_message, marks))
        self._announced.update(news)
        if published:
            _log.info("outbox_published", extra={"messages": published})

    async def _relay_totals(
        self, producer: AIOKafkaProducer, owned: Sequence[int]
    ) -> int:
        """Publish each changed total once, however often it changes meanwhile."""
        published = 0
        place = FIRST_PLACE
        while rows := await self._store.changed_totals(owned, ROWS_MAX, after=place):
            self._metrics.outbox_rows.set(len(rows))
            await _publish(producer, TOTALS, map(map_total_to_message, rows))
            await self._store.forget_totals(rows)
            published += len(rows)
            place = rows[-1].place
        self._metrics.outbox_rows.set(0)
        return published

    def _is_news(self, partition: int, at: datetime) -> bool:
        announced = self._announced.get(partition)
        return announced is None or abs(at - announced) >= ANNOUNCE_INTERVAL


async def _publish(
    producer: AIOKafkaProducer, topic: str, messages: Iterable[Message]
) -> None:
    """Send messages and wait until each is durable.

    Raises:
        TransientError: At least one was not confirmed; all will be sent again.
    """
    # A rejected record travels as a structured CloudEvent, a total as plain JSON.
    headers = HEADERS if topic == REJECTED else None
    async with outages_as_transient():
        confirmations = [
            await producer.send(topic, value, key=key, headers=headers)
            for key, value in messages
        ]
        for confirmation in confirmations:
            await confirmation


def map_total_to_message(total: ChangedTotal) -> Message:
    """Build the message of a changed total."""
    if total.kind == b"l":
        assert total.reported_at is not None
        return _message(
            LastReportV1(
                agency=total.agency,
                indicator=total.indicator,
                at=total.reported_at,
                partition=total.partition,
                revision=total.revision,
            )
        )
    if total.kind == b"s":
        return _message(
            StatedLevelV1(
                indicator=total.indicator,
                agency=total.agency,
                locality=total.locality,
                valid_from=total.valid_from,
                day=total.day,
                level=total.level,
                partition=total.partition,
                revision=total.revision,
            )
        )
    return _message(
        DailyTotalV1(
            indicator=total.indicator,
            agency=total.agency,
            locality=total.locality,
            valid_from=total.valid_from,
            day=total.day,
            count=total.count,
            amount=total.amount,
            partition=total.partition,
            revision=total.revision,
        )
    )


def map_rejected_to_message(record: RejectedRecord) -> Message:
    """Build the message of a rejected record, its bytes unchanged."""
    value = record.value or b""
    identity = f"{EVENTS}/{record.partition}/{record.offset}"
    message = RejectedV1(
        id=identity,
        source="/uptake/aggregation",
        time=record.logged_at,
        data=RejectedDataV1(
            code=record.code,
            detail=record.detail,
            topic=EVENTS,
            partition=record.partition,
            offset=record.offset,
            logged_at=record.logged_at,
            key=None if record.key is None else base64.b64encode(record.key).decode(),
            bytes=base64.b64encode(value).decode(),
            sha256=hashlib.sha256(value).hexdigest(),
        ),
    )
    return identity.encode(), message.model_dump_json().encode()


def _message(
    total: DailyTotalV1 | StatedLevelV1 | LastReportV1 | WatermarkV1,
) -> Message:
    return total.key(), total.model_dump_json().encode()
