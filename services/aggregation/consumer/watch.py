"""Watching the log's ends: lag, watermarks, and offsets for lag tools."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.aggregation.consumer.assignment import Assignment
from services.aggregation.consumer.early_end import EarlyEnds
from shared.clock import Clock
from shared.events.topics import EVENTS
from shared.metrics import AggregationMetrics

LOOK_SECONDS: Final = 0.5
LOOKS_PER_COMMIT: Final = 10

_log = logging.getLogger(__name__)


async def watch_log(
    consumer: AIOKafkaConsumer,
    assignment: Assignment,
    metrics: AggregationMetrics,
    clock: Clock,
) -> None:
    """Look at the log's ends now and then, until cancelled.

    Raises:
        FatalError: A log ends before the last record that was applied of it.
    """
    looks = 0
    early_ends = EarlyEnds()
    shown: frozenset[int] = frozenset()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        check_ends(consumer, assignment, early_ends)
        look_at_ends(consumer, assignment, metrics, clock.now())
        # What another process has now, it shows.
        mine = frozenset(assignment.applied)
        for partition in shown - mine:
            for gauge in (metrics.lag_records, metrics.lag_seconds):
                gauge.remove(partition)
        shown = mine
        looks += 1
        if looks % LOOKS_PER_COMMIT == 0:
            await _commit_for_lag_tools(consumer, assignment)


def check_ends(
    consumer: AIOKafkaConsumer, assignment: Assignment, early_ends: EarlyEnds
) -> None:
    """Doubt a log that has not proved to be the one that was applied.

    Raises:
        FatalError: A log ends before the last record that was applied of it.
    """
    for partition, place in assignment.places.items():
        tp = TopicPartition(EVENTS, partition)
        if place.must_prove and tp in consumer.assignment():
            early_ends.check(
                place,
                log_end=consumer.highwater(tp),
                polled_ms=consumer.last_poll_timestamp(tp),
            )
        else:
            early_ends.forget(partition)


def look_at_ends(
    consumer: AIOKafkaConsumer,
    assignment: Assignment,
    metrics: AggregationMetrics,
    now: datetime,
) -> None:
    """Compare what is applied with the log's ends, as fetch responses give them."""
    for partition, next_offset in assignment.applied.items():
        tp = TopicPartition(EVENTS, partition)
        if tp not in consumer.assignment():
            continue
        log_end = consumer.highwater(tp)
        polled_ms = consumer.last_poll_timestamp(tp)
        if log_end is None or polled_ms is None or polled_ms < 0:
            continue
        behind = max(log_end - next_offset, 0)
        if not behind:
            # Nothing was left when the broker answered last.
            polled_at = datetime.fromtimestamp(polled_ms / 1000, UTC)
            assignment.watermarks[partition] = polled_at
        watermark = assignment.watermarks.get(partition)
        age = (now - watermark).total_seconds() if behind and watermark else 0.0
        metrics.lag_records.labels(partition).set(behind)
        metrics.lag_seconds.labels(partition).set(max(age, 0.0))


async def _commit_for_lag_tools(
    consumer: AIOKafkaConsumer, assignment: Assignment
) -> None:
    offsets = {
        TopicPartition(EVENTS, partition): next_offset
        for partition, next_offset in assignment.applied.items()
    }
    if not offsets:
        return
    try:
        await consumer.commit(offsets)
    except KafkaError as error:
        # Nobody starts from these offsets, so a lost commit costs nothing.
        _log.info("offsets_not_committed", extra={"reason": type(error).__name__})
