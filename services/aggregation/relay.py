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
from itertools import groupby
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer

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
from shared.events.totals_v1 import WatermarkV1
from shared.http import Readiness
from shared.kafka.producer import Pending, SteadyProducer, stopped_at_last
from shared.metrics import AggregationMetrics
from shared.settings import KafkaSettings

ROWS_MAX: Final = 5_000
LINGER_MS: Final = 5
CONFIRM_SECONDS_MAX: Final = 20.0
VALUE_BYTES_MAX: Final = 500_000
# An idle partition's watermark moves with every fetch; readers need it within minutes.
ANNOUNCE_INTERVAL: Final = timedelta(seconds=10)
# Whoever asks for receipts waits for it; it is a row a partition, written over.
NOTE_INTERVAL: Final = timedelta(seconds=1)

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
        self._noted: dict[int, datetime] = {}

    async def run(
        self, applied: Mapping[int, int], watermarks: Mapping[int, datetime]
    ) -> None:
        """Publish until cancelled.

        Args:
            applied: Next offset of each partition that is ours; the consumer moves it.
            watermarks: Up to which log time each is applied; changed by the consumer.
        """
        producer = SteadyProducer(self._settings, linger_ms=LINGER_MS)
        async with stopped_at_last(producer):
            while True:
                await wait_out(
                    "publish_outbox",
                    lambda: self._round(producer, dict(applied), dict(watermarks)),
                    on_outage=self._on_outage,
                )
                await asyncio.sleep(self._interval_seconds)

    async def _round(
        self,
        producer: SteadyProducer,
        applied: Mapping[int, int],
        watermarks: Mapping[int, datetime],
    ) -> None:
        owned = sorted(applied)
        if not owned:
            return
        # The watermarks were taken before the outbox is read, so what they cover is
        # already in it or published.
        published = await self._relay_totals(producer, owned)
        while rejected := await self._store.rejected(owned, ROWS_MAX):
            await publish_messages(
                producer,
                REJECTED,
                ((0, map_rejected_to_message(record)) for record in rejected),
            )
            await self._store.forget_rejected(rejected)
            published += len(rejected)
        held = {
            partition: at
            for partition, at in watermarks.items()
            if partition in applied
        }
        news = _news(held, self._announced, ANNOUNCE_INTERVAL)
        marks = [
            WatermarkV1(partition=partition, at=at, revision=applied[partition])
            for partition, at in news.items()
        ]
        await publish_messages(
            producer,
            TOTALS,
            (
                (mark.partition, (mark.key(), mark.model_dump_json().encode()))
                for mark in marks
            ),
        )
        fresh = {**_news(held, self._noted, NOTE_INTERVAL), **news}
        if fresh:
            await self._store.note_watermarks(fresh)
        self._announced.update(news)
        self._noted.update(fresh)
        if published:
            _log.info("outbox_published", extra={"messages": published})

    async def _relay_totals(
        self, producer: SteadyProducer, owned: Sequence[int]
    ) -> int:
        """Publish each total that changed once, however often it changed.

        Only after a long outage are there more changes than are picked at once.
        """
        published = 0
        while changes := await self._store.pick_changes(owned):
            self._metrics.outbox_rows.set(sum(changes.values()))
            place = FIRST_PLACE
            while rows := await self._store.changed_totals(
                changes, ROWS_MAX, after=place
            ):
                await publish_totals(producer, rows)
                published += len(rows)
                place = rows[-1].place
            await self._store.forget_changes(changes)
            if not self._store.may_have_left(changes):
                break
        self._metrics.outbox_rows.set(0)
        return published


def _news(
    watermarks: Mapping[int, datetime],
    told: Mapping[int, datetime],
    interval: timedelta,
) -> dict[int, datetime]:
    """Choose the watermarks that have moved by an interval since they were told."""
    return {
        partition: at
        for partition, at in watermarks.items()
        if partition not in told or abs(at - told[partition]) >= interval
    }


async def publish_totals(
    producer: SteadyProducer, totals: Sequence[ChangedTotal]
) -> None:
    """Send totals in whole batches and wait until each is durable.

    A total goes to the partition of `uptake.totals` that has its agency's number in
    `uptake.events`: fixed like that one, and nothing is to be computed for each key.

    Args:
        producer: Connects by itself.
        totals: Ascending by partition.

    Raises:
        TransientError: At least one was not confirmed; all will be sent again.
    """

    async def submit(client: AIOKafkaProducer, pending: Pending) -> None:
        for partition, group in groupby(totals, key=lambda total: total.partition):
            batch = client.create_batch()
            for key, value in map(map_total_to_message, group):
                if batch.append(key=key, value=value, timestamp=None) is None:
                    pending.append(
                        await client.send_batch(batch, TOTALS, partition=partition)
                    )
                    batch = client.create_batch()
                    metadata = batch.append(key=key, value=value, timestamp=None)
                    assert metadata is not None, "a total is larger than a batch"
            pending.append(await client.send_batch(batch, TOTALS, partition=partition))

    await producer.confirm(submit, timeout_seconds=CONFIRM_SECONDS_MAX)


async def publish_messages(
    producer: SteadyProducer, topic: str, messages: Iterable[tuple[int, Message]]
) -> None:
    """Send a few messages to their partitions and wait until each is durable.

    Raises:
        TransientError: At least one was not confirmed; all will be sent again.
    """
    # A rejected record travels as a structured CloudEvent, a total as plain JSON.
    headers = HEADERS if topic == REJECTED else None

    async def submit(client: AIOKafkaProducer, pending: Pending) -> None:
        for partition, (key, value) in messages:
            sent = await client.send(
                topic, value, key=key, partition=partition, headers=headers
            )
            pending.append(sent)

    await producer.confirm(submit, timeout_seconds=CONFIRM_SECONDS_MAX)


def map_total_to_message(total: ChangedTotal) -> Message:
    """Build the message of a changed total, as `shared.events.totals_v1` describes it.

    A backlog publishes tens of thousands a second, so no model is built for each; a
    contract test holds the bytes to the models.
    """
    if total.kind == b"l":
        key: tuple[object, ...] = ("report", total.agency, total.indicator)
        figures: dict[str, object] = {"at": total.reported_at}
        place: dict[str, object] = {
            "kind": "report",
            "agency": total.agency,
            "indicator": total.indicator,
        }
    elif total.kind == b"k":
        place = {
            "kind": "control",
            "indicator": total.indicator,
            "agency": total.agency,
            "day": total.day,
        }
        key = tuple(place.values())
        figures = {"claimed": total.claimed}
    else:
        kind = "stated" if total.kind == b"s" else "day"
        place = {
            "kind": kind,
            "indicator": total.indicator,
            "agency": total.agency,
            "locality": total.locality,
            "valid_from": total.valid_from,
            "day": total.day,
        }
        key = tuple(place.values())
        figures = (
            {"level": total.level}
            if total.kind == b"s"
            else {"count": total.count, "amount": total.amount}
        )
    written = {"partition": total.partition, "revision": total.revision}
    return msgspec.json.encode(key), msgspec.json.encode(place | figures | written)


def map_rejected_to_message(record: RejectedRecord) -> Message:
    """Build the message of a rejected record, its bytes unchanged.

    Ingest writes nothing that is nearly as long as Kafka takes; of a foreign record
    that is, hash and length remain, because a message that can never be sent would
    hold up all others.
    """
    value = record.value or b""
    detail = record.detail
    shown = value
    if len(value) > VALUE_BYTES_MAX:
        detail += f"; its {len(value):,} bytes are too long to be kept"
        shown = b""
    identity = f"{EVENTS}/{record.partition}/{record.offset}"
    message = RejectedV1(
        id=identity,
        source="/uptake/aggregation",
        time=record.logged_at,
        data=RejectedDataV1(
            code=record.code,
            detail=detail,
            topic=EVENTS,
            partition=record.partition,
            offset=record.offset,
            logged_at=record.logged_at,
            key=None if record.key is None else base64.b64encode(record.key).decode(),
            bytes=base64.b64encode(shown).decode(),
            sha256=hashlib.sha256(value).hexdigest(),
        ),
    )
    return identity.encode(), message.model_dump_json().encode()
