"""The log's reader: bytes, decode, judge and store, then on.

Delivery: each record is applied once. The position comes from the progress row alone;
offsets are committed to Kafka afterwards, for lag tools. A crash at any point repeats
at most the last batch, which the compare-and-set then refuses.

aiokafka is used directly, because the first fetch after an assignment must wait for
the progress row (ADR 0005).
"""

import hashlib
import logging
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from aiokafka import (
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka.errors import KafkaError
from typing_extensions import override

from services.aggregation.core.judge import Judgement
from services.aggregation.core.limit import UnreadableLimit
from services.aggregation.core.place import Place
from services.aggregation.core.record import LogRecord
from services.aggregation.store.ledger import LedgerStore, Slice, StaleProgressError
from services.aggregation.store.unreadable import UnreadableWatch
from shared.backoff import wait_out
from shared.clock import Clock
from shared.events.adoption_v1_decode import decode_entry
from shared.events.topics import EVENTS
from shared.http import Readiness
from shared.kafka.broker import make_consumer, outages_as_transient
from shared.metrics import AggregationMetrics
from shared.settings import KafkaSettings

GROUP: Final = "uptake.aggregation"
POLL_TIMEOUT_MS: Final = 250
COMMIT_INTERVAL_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


# aiokafka ships no types, so its base class is Any to mypy.
class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Which partitions are ours; started ones have a place.

    The listener only takes notes: whatever needs Postgres is done by the read loop,
    where an outage can be waited out without losing the group's membership.
    """

    def __init__(self) -> None:
        self.to_start: set[int] = set()
        self.places: dict[int, Place] = {}
        self.watermarks: dict[int, datetime] = {}

    @override
    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.to_start.clear()
        self.places.clear()
        self.watermarks.clear()

    @override
    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.to_start.update(tp.partition for tp in assigned)

    def restart(self, partitions: Iterable[int]) -> None:
        """Have partitions start again from their progress rows."""
        for partition in partitions:
            if self.places.pop(partition, None) is not None:
                self.to_start.add(partition)


class LogConsumer:
    """Applies the log to the ledger, as a member of the consumer group."""

    def __init__(
        self,
        settings: KafkaSettings,
        store: LedgerStore,
        metrics: AggregationMetrics,
        readiness: Readiness,
        clock: Clock,
        *,
        batch_records_max: int,
        unreadable_limit: UnreadableLimit,
    ) -> None:
        self._settings = settings
        self._store = store
        self._metrics = metrics
        self._readiness = readiness
        self._clock = clock
        self._batch_records_max = batch_records_max
        self._watch = UnreadableWatch(settings, unreadable_limit, decode_records)
        self._commit_due = 0.0
        self.assignment = Assignment()

    async def run(self) -> None:
        """Read and apply until cancelled.

        Raises:
            FatalError: The log is not the one whose records were applied, or too many
                of its records are unreadable.
        """
        consumer = make_consumer(self._settings, group_id=GROUP)
        consumer.subscribe([EVENTS], listener=self.assignment)
        self._readiness.set("log", "joining the consumer group")

        async def start() -> None:
            async with outages_as_transient():
                await consumer.start()

        try:
            await wait_out(
                "join_group", start, on_outage=self._readiness.for_part("kafka")
            )
            while True:
                await self._step(consumer)
        finally:
            await consumer.stop()

    async def _step(self, consumer: AIOKafkaConsumer) -> None:
        if self.assignment.to_start:
            await self._start_partitions(consumer)
        fetched = await consumer.getmany(
            timeout_ms=POLL_TIMEOUT_MS, max_records=self._batch_records_max
        )
        slices = [
            part
            for tp, records in fetched.items()
            if (part := self._slice(tp.partition, records)) is not None
        ]
        if slices:
            await self._apply(slices)
        self._check_ends(consumer)
        await self._commit_for_lag_tools(consumer)

    async def _start_partitions(self, consumer: AIOKafkaConsumer) -> None:
        wanted = frozenset(self.assignment.to_start)
        progress = await wait_out(
            "read_progress",
            lambda: self._store.start_partitions(wanted),
            on_outage=self._readiness.for_part("postgres"),
        )
        # A rebalance may have taken partitions away while Postgres answered.
        for partition in wanted & self.assignment.to_start:
            row = progress[partition]
            place = Place(partition, row.next_offset, row.last_record_hash)
            consumer.seek(TopicPartition(EVENTS, partition), place.start_offset)
            self.assignment.to_start.discard(partition)
            self.assignment.places[partition] = place
        self._readiness.set("log", None)
        _log.info("partitions_started", extra={"partitions": sorted(wanted)})

    def _slice(self, partition: int, records: Sequence[ConsumerRecord]) -> Slice | None:
        """Cut what is to be applied out of what was fetched.

        Returns:
            None where nothing of it is to be applied.
        """
        place = self.assignment.places.get(partition)
        if place is None or not records:
            # Fetched before the progress row was read; it will be fetched again.
            return None
        if place.must_prove:
            first = records[0]
            place = place.prove(first.offset, hash_record(first))
            self.assignment.places[partition] = place
        fresh = [record for record in records if record.offset >= place.next_offset]
        if not fresh:
            return None
        place.check_gap(fresh[0].offset)
        last = fresh[-1]
        if last.offset - fresh[0].offset + 1 != len(fresh):
            place.check_gap(last.offset - len(fresh) + 1)
        decoded = decode_records(partition, fresh)
        return Slice(
            partition=partition,
            first_offset=place.next_offset,
            next_offset=last.offset + 1,
            last_record_hash=hash_record(last),
            records=decoded,
            raw={record.offset: (record.key, record.value) for record in fresh},
        )

    async def _apply(self, slices: Sequence[Slice]) -> None:
        began = time.monotonic()
        await wait_out(
            "check_unreadable",
            lambda: self._watch.check(slices),
            on_outage=self._readiness.for_part("kafka"),
        )
        try:
            judgement = await wait_out(
                "apply_batch",
                lambda: self._store.apply(slices),
                on_outage=self._readiness.for_part("postgres"),
            )
        except StaleProgressError as error:
            _log.info("progress_moved_elsewhere", extra={"reason": str(error)})
            self.assignment.restart(part.partition for part in slices)
            return
        for part in slices:
            place = self.assignment.places.get(part.partition)
            if place is not None:
                self.assignment.places[part.partition] = place.moved_to(
                    part.next_offset, part.last_record_hash
                )
                self.assignment.watermarks[part.partition] = part.records[-1].logged_at
        self._report(slices, judgement, time.monotonic() - began)

    def _report(
        self, slices: Sequence[Slice], judgement: Judgement, duration_seconds: float
    ) -> None:
        metrics = self._metrics
        classes = judgement.classes.values()
        counted = sum(each.counted for each in classes)
        duplicates = sum(each.duplicates for each in classes)
        reversals = sum(each.reversed for each in classes)
        metrics.counted.inc(counted)
        metrics.duplicate.inc(duplicates)
        metrics.reversed.inc(reversals)
        for reject in judgement.rejects:
            metrics.rejected.labels(reject.code).inc()
        metrics.batch_duration.observe(duration_seconds)
        oldest = min(part.records[0].logged_at for part in slices)
        visible_seconds = max((self._clock.now() - oldest).total_seconds(), 0.0)
        metrics.visible.observe(visible_seconds)
        for agency, logged_at in {
            r.agency: r.logged_at for r in judgement.rows
        }.items():
            metrics.agency_last_event.labels(agency).set(logged_at.timestamp())
        _log.info(
            "batch_applied",
            extra={
                "partitions": [part.partition for part in slices],
                "next_offsets": [part.next_offset for part in slices],
                "records": sum(len(part.records) for part in slices),
                "counted": counted,
                "duplicates": duplicates,
                "reversed": reversals,
                "rejected": len(judgement.rejects),
                "deltas": len(judgement.deltas),
                "duration_seconds": round(duration_seconds, 4),
                "visible_seconds": round(visible_seconds, 3),
            },
        )

    def _check_ends(self, consumer: AIOKafkaConsumer) -> None:
        """Compare with the log's ends, as the latest fetch responses give them."""
        now = self._clock.now()
        for partition, place in self.assignment.places.items():
            tp = TopicPartition(EVENTS, partition)
            if tp not in consumer.assignment():
                continue
            log_end = consumer.highwater(tp)
            polled_ms = consumer.last_poll_timestamp(tp)
            if log_end is None or polled_ms is None or polled_ms < 0:
                continue
            if place.must_prove:
                place.check_end(log_end)
            behind = max(log_end - place.next_offset, 0)
            if not behind:
                polled_at = datetime.fromtimestamp(polled_ms / 1000, UTC)
                self.assignment.watermarks[partition] = polled_at
            watermark = self.assignment.watermarks.get(partition)
            age = (now - watermark).total_seconds() if behind and watermark else 0.0
            self._metrics.lag_records.labels(partition).set(behind)
            self._metrics.lag_seconds.labels(partition).set(max(age, 0.0))

    async def _commit_for_lag_tools(self, consumer: AIOKafkaConsumer) -> None:
        if time.monotonic() < self._commit_due:
            return
        self._commit_due = time.monotonic() + COMMIT_INTERVAL_SECONDS
        offsets = {
            TopicPartition(EVENTS, partition): place.next_offset
            for partition, place in self.assignment.places.items()
        }
        if not offsets:
            return
        try:
            await consumer.commit(offsets)
        except KafkaError as error:
            # Nobody starts from these offsets, so a lost commit costs nothing.
            _log.info("offsets_not_committed", extra={"reason": type(error).__name__})


def hash_record(record: ConsumerRecord) -> bytes:
    """Hash what identifies a record: key, value and timestamp."""
    key, value = record.key or b"", record.value or b""
    head = struct.pack(">qII", record.timestamp, len(key), len(value))
    return hashlib.sha256(head + key + value).digest()


def decode_records(
    partition: int, records: Iterable[ConsumerRecord]
) -> list[LogRecord]:
    """Decode fetched records; one that is not an admitted event has no entry."""
    decoded = []
    instants: Mapping[int, datetime] = {}
    for record in records:
        logged_at = instants.get(record.timestamp)
        if logged_at is None:
            # The broker stamps a whole batch at once, so one conversion serves many.
            logged_at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
            instants = {record.timestamp: logged_at}
        entry = None if record.value is None else decode_entry(record.value)
        if entry is not None and entry.agency.encode() != record.key:
            entry = None
        decoded.append(LogRecord(partition, record.offset, logged_at, entry))
    return decoded
