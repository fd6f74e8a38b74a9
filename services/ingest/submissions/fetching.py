"""Fetching submissions so that a record which cannot be read stops its own topic only.

The client library reads a record's headers as UTF-8, which no broker asks for. On one
that is not, it raises, forgets what it had read before that record in the same turn,
and does not say whose record it was. So after that each topic is asked by itself, from
where it was committed.
"""

import asyncio
import logging
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError

from services.ingest.submissions.waiting import WaitingTopics

Fetched = dict[TopicPartition, list[ConsumerRecord]]

_UNREADABLE: Final = (UnicodeDecodeError, CorruptRecordException, UnsupportedCodecError)
_log = logging.getLogger(__name__)


async def fetch(
    consumer: AIOKafkaConsumer,
    waiting: WaitingTopics,
    *,
    timeout_ms: int,
    records_max: int,
) -> Fetched:
    """Fetch what comes next, by topic.

    Args:
        consumer: One that commits only what was taken.
        waiting: Where a topic is noted that has to wait, and is paused.
        timeout_ms: How long to wait when there is nothing.
        records_max: Most records of all topics, or where one is unreadable of each.
    """
    try:
        fetched: Fetched = await consumer.getmany(
            timeout_ms=timeout_ms, max_records=records_max
        )
    except _UNREADABLE:
        apart = _Apart(consumer, waiting, timeout_ms, records_max)
        return await apart.fetch()
    return fetched


class _Apart:
    """Fetches from each topic by itself."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        waiting: WaitingTopics,
        timeout_ms: int,
        records_max: int,
    ) -> None:
        self._consumer = consumer
        self._waiting = waiting
        self._timeout_ms = timeout_ms
        self._records_max = records_max

    async def fetch(self) -> Fetched:
        """Fetch what can be read of each topic that does not wait."""
        fetched: Fetched = {}
        partitions = self._consumer.assignment() - self._consumer.paused()
        for partition in sorted(partitions):
            start = await self._start_of(partition)
            self._consumer.seek(partition, start)
            try:
                fetched[partition] = await self._getmany(partition, self._records_max)
            except _UNREADABLE:
                self._consumer.seek(partition, start)
                fetched[partition] = await self._up_to_the_unreadable(partition, start)
        return fetched

    async def _start_of(self, partition: TopicPartition) -> int:
        """Return where to begin; what is read twice counts once."""
        committed: int | None = await self._consumer.committed(partition)
        if committed is not None:
            return committed
        starts = await self._consumer.beginning_offsets([partition])
        return int(starts[partition])

    async def _up_to_the_unreadable(
        self, partition: TopicPartition, offset: int
    ) -> list[ConsumerRecord]:
        """Read one by one, so that none is forgotten; with nothing left, have it wait.

        Args:
            partition: Its only partition.
            offset: Where to begin.
        """
        records: list[ConsumerRecord] = []
        try:
            while len(records) < self._records_max:
                found = await self._getmany(partition, 1)
                if not found:
                    break
                records += found
        except _UNREADABLE as error:
            if not records:
                self._hold(partition, offset, error)
        return records

    async def _getmany(
        self, partition: TopicPartition, records_max: int
    ) -> list[ConsumerRecord]:
        fetched: Fetched = await self._consumer.getmany(
            partition, timeout_ms=self._timeout_ms, max_records=records_max
        )
        return fetched.get(partition, [])

    def _hold(self, partition: TopicPartition, offset: int, error: Exception) -> None:
        """Have a topic wait alone; an operator steps over the record, or deletes it."""
        now = asyncio.get_running_loop().time()
        wait_seconds = self._waiting.add(partition, now)
        _log.error(
            "submission_unreadable",
            extra={
                "topic": partition.topic,
                "offset": offset,
                "wait_seconds": round(wait_seconds, 3),
                "reason": type(error).__name__,
            },
        )
        self._consumer.seek(partition, offset)
        self._consumer.pause(partition)
