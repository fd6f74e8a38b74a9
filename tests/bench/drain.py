"""Draining a backlog: bare `getmany`, plain COPY, and the whole service."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from aiokafka import TopicPartition

from services.aggregation.store.rows import LEDGER_COLUMNS
from services.ingest.publisher import LogPublisher
from shared.events.topics import EVENTS
from shared.kafka.broker import make_consumer
from tests.bench.truth import AuditedWorkload
from tests.bench.workload import Workload
from tests.support.stack import PARTITIONS, Stack, eventually

BATCH_ROWS = 10_000
APPLIED = "SELECT sum(applied) FROM reporting.progress"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Drained:
    """One drain by the service."""

    events_per_second: float
    memory_mib: float


async def fill_log(stack: Stack, workload: Workload | AuditedWorkload) -> float:
    """Append the workload to the log; return records per second."""
    publisher = LogPublisher(stack.kafka_settings, ack_timeout_seconds=60)
    await publisher.start()
    began = time.monotonic()
    for agency, events in workload.batches():
        await publisher.append(agency, events)
    await publisher.stop()
    return workload.records / (time.monotonic() - began)


async def read_bare(stack: Stack, records: int) -> float:
    """Read the log and do nothing with it; return records per second."""
    consumer = make_consumer(stack.kafka_settings, group_id=None)
    async with consumer:
        partitions = [TopicPartition(EVENTS, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        seen, began = 0, time.monotonic()
        while seen < records:
            fetched = await consumer.getmany(timeout_ms=500, max_records=BATCH_ROWS)
            seen += sum(len(part) for part in fetched.values())
        return records / (time.monotonic() - began)


async def copy_plain(dsn: str, rows: int) -> float:
    """COPY rows like the ledger's into its table; return rows per second."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "CREATE TABLE public.plain (LIKE aggregation.ledger INCLUDING ALL)"
    )
    sample = await connection.fetchrow(
        "SELECT gen_random_uuid(), now(), now(), 0::bigint, 1::bigint, 0::bigint, "
        "NULL::bigint, 1, 1, current_date, 0::smallint, 1::smallint, 'c'::\"char\", "
        "md5('')"
    )
    assert sample is not None
    rest = tuple(sample)[1:]
    batches = [
        [(uuid.uuid4(), *rest) for _ in range(BATCH_ROWS)]
        for _ in range(rows // BATCH_ROWS)
    ]
    began = time.monotonic()
    for batch in batches:
        await connection.copy_records_to_table(
            "plain", schema_name="public", columns=LEDGER_COLUMNS, records=batch
        )
    rate = len(batches) * BATCH_ROWS / (time.monotonic() - began)
    await connection.execute("DROP TABLE public.plain")
    await connection.close()
    return rate


async def drain(stack: Stack, records: int, expected: Sequence[int]) -> Drained:
    """Start aggregation on a full log; measure from its first commit to its last.

    Args:
        stack: With a database that has applied nothing.
        records: How many the log holds.
        expected: (counted, duplicates, reversed, rejected); another end is an error.
    """
    child = stack.spawn("aggregation")
    # One connection for all looks: opening one costs as much as hundreds of records.
    connection = await asyncpg.connect(stack.dsn)
    first = 0

    async def has_begun() -> bool:
        nonlocal first
        first = int(await connection.fetchval(APPLIED) or 0)
        return first > 0

    async def has_ended() -> bool:
        assert child.is_running(), stack.log_tail("aggregation")
        return int(await connection.fetchval(APPLIED) or 0) >= records

    try:
        await eventually(has_begun, seconds=120, what="the first commit")
        began = time.monotonic()
        await eventually(has_ended, seconds=1200, what="the last commit")
        took = time.monotonic() - began
    finally:
        await connection.close()
    memory = memory_most_bytes(child.pid)
    classes = await stack.classes()
    assert tuple(classes.values()) == tuple(expected), classes
    await stack.stop()
    return Drained((records - first) / took, memory / MIB)


def memory_most_bytes(pid: int) -> int:
    """Return the most memory that a process has had (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
