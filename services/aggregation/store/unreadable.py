"""Holds each batch against the limit of unreadable records, before it is applied.

What was unreadable lately is known from the log itself, read back by this version's
decoder, and only where an unreadable record comes soon after a start. So a bad deploy
that is started again and again rejects no more than one that stops once, and a mended
one finds nothing to count.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.aggregation.core.limit import UnreadableLimit, UnreadableWindow
from services.aggregation.core.record import LogRecord
from services.aggregation.store.ledger import Slice
from shared.errors import TransientError
from shared.events.topics import EVENTS
from shared.kafka.broker import make_consumer, outages_as_transient
from shared.settings import KafkaSettings

POLL_TIMEOUT_MS: Final = 250
POLL_RECORDS_MAX: Final = 1_000
WAIT_SECONDS_MAX: Final = 20.0

Decode = Callable[[int, Sequence[ConsumerRecord]], Sequence[LogRecord]]


class UnreadableWatch:
    """Remembers the unreadable records of each partition's window."""

    def __init__(
        self, settings: KafkaSettings, limit: UnreadableLimit, decode: Decode
    ) -> None:
        self._settings = settings
        self._limit = limit
        self._decode = decode
        self._windows: dict[int, UnreadableWindow] = {}

    async def check(self, slices: Sequence[Slice]) -> None:
        """Judge a batch; must come before it is applied.

        Raises:
            FatalError: Too many of its records are unreadable.
            TransientError: Kafka is away and the window must be read; try again.
        """
        judged = {}
        for part in slices:
            window = self._windows.get(part.partition)
            if window is None or window.next_offset != part.first_offset:
                # Another start, or a batch that was cut short by another writer.
                first = part.first_offset
                window = UnreadableWindow(part.partition, first, first)
            unreadable = _unreadable(part.records)
            if unreadable:
                past = window.missing(unreadable[0], self._limit)
                if past:
                    window = window.learn(past, await self._read_past(window, past))
            judged[part.partition] = window.admit(
                part.next_offset, unreadable, self._limit
            )
        self._windows.update(judged)

    async def _read_past(self, window: UnreadableWindow, past: range) -> list[int]:
        partition = TopicPartition(EVENTS, window.partition)
        consumer = make_consumer(self._settings, group_id=None)
        try:
            async with outages_as_transient():
                await consumer.start()
                consumer.assign([partition])
                consumer.seek(partition, past.start)
                return await self._read_until(consumer, partition, past)
        finally:
            await consumer.stop()

    async def _read_until(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, past: range
    ) -> list[int]:
        unreadable: list[int] = []
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        # All of them are in the log: later ones have just been fetched.
        while await consumer.position(partition) < past.stop:
            fetched = await consumer.getmany(
                timeout_ms=POLL_TIMEOUT_MS, max_records=POLL_RECORDS_MAX
            )
            records = [
                record
                for record in fetched.get(partition, ())
                if record.offset < past.stop
            ]
            unreadable += _unreadable(self._decode(partition.partition, records))
            if fetched:
                deadline = time.monotonic() + WAIT_SECONDS_MAX
            elif time.monotonic() >= deadline:
                raise TransientError(f"kafka sends no more of {EVENTS}")
        return unreadable


def _unreadable(records: Sequence[LogRecord]) -> list[int]:
    return [record.offset for record in records if record.entry is None]
