"""The subscription to `uptake.totals`, by FastStream."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Assigned
from faststream import AckPolicy, BaseMiddleware
from faststream.kafka import KafkaBroker, KafkaMessage, TopicPartition
from typing_extensions import override

from services.alerting.consumer.reader import TotalsReader, another_topic
from services.alerting.core.copied import CaughtUp
from services.alerting.store import TotalsStore
from shared.alerting_metrics import AlertingMetrics
from shared.backoff import wait_out
from shared.events.topics import TOTALS
from shared.http import Readiness
from shared.kafka.broker import (
    FETCH_BYTES_MAX,
    PARTITION_FETCH_BYTES_MAX,
    outages_as_transient,
)

RECORDS_MAX: Final = 5_000
BATCH_WAIT_MS: Final = 100
WATCH_SECONDS: Final = 1.0
SILENT_LOOKS_MAX: Final = 10


class TotalsSubscription:
    """A subscriber to all partitions, without a group."""

    def __init__(
        self,
        broker: KafkaBroker,
        reader: TotalsReader,
        store: TotalsStore,
        *,
        partition_count: int,
        fetch_wait_ms: int,
        readiness: Readiness,
        metrics: AlertingMetrics,
    ) -> None:
        """Declare the subscriber; nothing is read before `run`.

        Args:
            broker: Not yet started.
            reader: Takes the batches.
            store: The copy.
            partition_count: Partitions of the topic.
            fetch_wait_ms: How long the broker may hold a fetch that finds nothing.
            readiness: Told what is waited for.
            metrics: Told how far behind the copy is.
        """
        self._broker = broker
        self._reader = reader
        self._store = store
        self._partitions = range(partition_count)
        self._readiness = readiness
        self._metrics = metrics
        self._last_answers: dict[int, int] = {}
        self._goals: dict[int, tuple[int, float]] = {}
        self._silent_looks = 0
        broker.add_middleware(_escapes_to(reader))
        self._subscriber = broker.subscriber(
            partitions=[
                TopicPartition(TOTALS, partition, declare=False)
                for partition in self._partitions
            ],
            batch=True,
            # No group: every replica reads all partitions and keeps its positions
            # with the copy, so there is nothing to commit and nothing to rebalance.
            group_id=None,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=fetch_wait_ms,
            fetch_max_bytes=FETCH_BYTES_MAX,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES_MAX,
            batch_timeout_ms=BATCH_WAIT_MS,
            max_records=RECORDS_MAX,
            no_reply=True,
            decoder=_raw_records,
        )
        self._subscriber(reader.take)

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Keep the broker connected, also for those who publish through it."""
        await wait_out(
            "start_kafka", self._start, on_outage=self._readiness.for_part("kafka")
        )
        try:
            yield
        finally:
            await self._broker.stop()

    async def run(self) -> None:
        """Read from where the copy ends until cancelled; inside `started`.

        Raises:
            FatalError: The topic is another one, or a record cannot be read.
        """
        self._readiness.set("totals", "the copy of totals is being filled")
        positions = await wait_out(
            "read_positions",
            lambda: self._store.positions(len(self._partitions)),
            on_outage=self._readiness.for_part("postgres"),
        )
        for partition, offset in self._reader.begin(positions).items():
            self._consumer.seek(Assigned(TOTALS, partition), offset)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._reader.failed())
            tasks.create_task(self._watch())

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        consumer = self._subscriber.consumer
        assert consumer is not None, "the broker was started"
        return consumer

    async def _start(self) -> None:
        try:
            async with outages_as_transient():
                await self._broker.start()
        except BaseException:
            # What was started before the failure must not stay open.
            await self._broker.stop()
            raise

    async def _watch(self) -> None:
        """Look every second how far behind the copy is."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            ends = self._log_ends()
            standing = self._reader.standing
            behind = 0
            for partition, end in ends.items():
                if end < standing[partition]:
                    raise another_topic(partition)
                behind += end - standing[partition]
            self._metrics.totals_lag_records.set(behind)
            reached = self._reached(ends, standing)
            if reached:
                await wait_out(
                    "note_caught_up",
                    partial(self._store.note_caught_up, reached),
                    on_outage=self._readiness.for_part("postgres"),
                )
            self._tell_readiness(ends, behind)

    def _reached(
        self, ends: Mapping[int, int], standing: Mapping[int, int]
    ) -> dict[int, CaughtUp]:
        """Find partitions of which the copy has all that was there at a look.

        At this look or at an earlier one: under a steady flow the copy may always be
        a little behind the end, and still be complete up to a moment ago.
        """
        now = time.monotonic()
        reached = {}
        for partition, end in ends.items():
            goal, seen_at = self._goals.setdefault(partition, (end, now))
            if standing[partition] >= goal:
                age = timedelta(seconds=now - seen_at)
                reached[partition] = CaughtUp(goal, age)
                del self._goals[partition]
        return reached

    def _log_ends(self) -> dict[int, int]:
        """Return the ends of the partitions that Kafka has told since the last look.

        They come from the answers to fetches, since the embedded broker's own answer
        to "where does the log end" cannot be relied on.
        """
        ends = {}
        for partition in self._partitions:
            assigned = Assigned(TOTALS, partition)
            answered_at = self._consumer.last_poll_timestamp(assigned)
            end = self._consumer.highwater(assigned)
            if answered_at is None or end is None:
                continue
            if self._last_answers.get(partition) != answered_at:
                self._last_answers[partition] = answered_at
                ends[partition] = end
        return ends

    def _tell_readiness(self, ends: dict[int, int], behind: int) -> None:
        self._silent_looks = 0 if ends else self._silent_looks + 1
        silence = None
        if self._silent_looks >= SILENT_LOOKS_MAX:
            silence = f"kafka has not answered for {self._silent_looks} s"
        self._readiness.set("kafka", silence)
        if "totals" not in self._readiness.waiting:
            # Once filled, being behind shows in the metric and in the targets.
            return
        is_filled = len(self._last_answers) == len(self._partitions) and behind == 0
        reason = f"the copy of totals is being filled: {behind} records to go"
        self._readiness.set("totals", None if is_filled else reason)


async def _raw_records(message: KafkaMessage) -> object:
    """Decode nothing: the reader takes records as they are."""
    return message.raw_message


def _escapes_to(reader: TotalsReader) -> Callable[..., BaseMiddleware[Any, Any]]:
    """Build the outermost middleware: what escapes a handler is not swallowed.

    FastStream drops exceptions of handlers and reads on; here the reader is told,
    takes nothing more, and its task ends the process.
    """

    class Escapes(BaseMiddleware[Any, Any]):
        """Tells the reader what its handler raised."""

        @override
        async def after_processed(
            self,
            exc_type: type[BaseException] | None = None,
            exc_val: BaseException | None = None,
            exc_tb: TracebackType | None = None,
        ) -> bool | None:
            if isinstance(exc_val, Exception):
                reader.fail(exc_val)
            return False

    return Escapes
