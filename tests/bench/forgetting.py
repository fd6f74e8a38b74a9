"""`python -m tests.bench.forgetting`: dropping old rows, alone and beside counting.

Batches are applied as the service applies them, a few with the background task and a
few without in turns, so that whatever else the machine does meets both alike.
"""

import argparse
import asyncio
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import asyncpg

from services.aggregation.core.record import LogRecord
from services.aggregation.jobs.retention import drop_old_rows
from services.aggregation.store.keys import ledger_key
from services.aggregation.store.retention import BEGINNING, RetentionStore
from shared.clock import SystemClock
from shared.http import Readiness
from shared.metrics import AggregationMetrics, new_registry
from tests.bench.drain import BATCH_ROWS
from tests.bench.rows import SETTINGS, bench_postgres
from tests.support.forgetting import Ledger, migrated_pool, service_pool
from tests.support.log_records import counted

PARTITIONS = 4
BATCHES_PER_TURN = 3
STEP_ROWS = 500_000
OLD_ROWS = """
INSERT INTO aggregation.ledger (key, logged_at, occurred_at, log_offset, count,
    amount, origin_id, series_id, day, partition, type_id, kind, id)
SELECT gen_random_uuid(), now() - interval '900 days' + n / 1000 * interval '1 s',
    now() - interval '900 days', n, 1, 0, 1, 1, current_date - 900, n % 4, 1, 'c',
    md5(n::text)
FROM generate_series($1::bigint, $2::bigint) AS n
"""
SIZES = """
SELECT pg_relation_size('aggregation.ledger') AS heap,
    pg_relation_size('aggregation.ledger_pkey') AS key,
    pg_relation_size('aggregation.ledger_logged_at') AS logged_at,
    pg_total_relation_size('aggregation.ledger') AS whole
"""


def say(line: str) -> None:
    """Print a line at once: the work is long."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def fill_old(dsn: str, rows: int) -> None:
    """Give the ledger rows of long ago."""
    connection = await asyncpg.connect(dsn)
    for start in range(0, rows, STEP_ROWS):
        end = min(start + STEP_ROWS, rows) - 1
        await connection.execute(OLD_ROWS, start, end, timeout=600)
    await connection.execute("VACUUM (ANALYZE) aggregation.ledger", timeout=600)
    await connection.execute("CHECKPOINT")
    await connection.close()


async def drop_alone(dsn: str, options: argparse.Namespace) -> None:
    """Drop everything without rest; say how fast, and what a row takes."""
    rows = options.rows
    await fill_old(dsn, rows)
    connection = await asyncpg.connect(dsn)
    sizes = await connection.fetchrow(SIZES)
    assert sizes is not None
    each = {name: round(size / rows, 1) for name, size in sizes.items()}
    say(f"bytes a row: {each}")
    await connection.execute(
        "INSERT INTO aggregation.progress (partition, next_offset, kept_since) "
        "SELECT n, 0, now() FROM generate_series(0, 3) AS n"
    )
    pool = await service_pool(dsn)
    store, up_to, longest = RetentionStore(pool), BEGINNING, 0.0
    began = time.monotonic()
    while True:
        step_began = time.monotonic()
        step = await store.drop_step(up_to)
        if step is None:
            break
        up_to = step.looked_up_to
        longest = max(longest, time.monotonic() - step_began)
    took = time.monotonic() - began
    say(f"dropped alone: {rows / took:,.0f} rows/s, longest step {longest:.3f} s")
    began = time.monotonic()
    await connection.execute("VACUUM aggregation.ledger", timeout=600)
    say(f"vacuum afterwards: {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    assert await store.drop_step(BEGINNING) is None
    say(f"a round that finds nothing: {time.monotonic() - began:.4f} s")
    await connection.close()
    await pool.close()


def make_batch(number: int, at: datetime) -> list[LogRecord]:
    """Make events of one agency, with ids of their own."""
    partition = number % PARTITIONS
    agency = f"agency-{partition}"
    first = number // PARTITIONS * BATCH_ROWS
    records = []
    for offset in range(first, first + BATCH_ROWS):
        event = counted(uuid.uuid4().hex, agency=agency, source=f"/{agency}", time=at)
        key = ledger_key(event.source, event.id)
        records.append(LogRecord(partition, offset, at, event, key))
    return records


async def apply_beside(dsn: str, options: argparse.Namespace) -> None:
    """Apply batches with and without dropping in turns; say how fast each was."""
    await fill_old(dsn, options.rows)
    pool = await service_pool(dsn)
    metrics = AggregationMetrics(new_registry())
    ledger = Ledger(pool, timedelta(days=400))
    await ledger.start(PARTITIONS)
    now = SystemClock().now().astimezone(UTC)
    took: dict[str, list[float]] = {"alone": [], "beside dropping": []}
    number, seconds_beside = 0, 0.0
    for turn in range(2 * options.turns):
        name = tuple(took)[turn % 2]
        dropping = asyncio.TaskGroup()
        async with dropping:
            task = None
            if turn % 2:
                task = dropping.create_task(
                    drop_old_rows(
                        RetentionStore(pool), metrics, Readiness(), interval_seconds=60
                    )
                )
            for _ in range(BATCHES_PER_TURN):
                batch = make_batch(number, now)
                number += 1
                began = time.monotonic()
                await ledger.apply(batch)
                took[name].append(time.monotonic() - began)
                seconds_beside += took[name][-1] if task else 0
            if task:
                task.cancel()
    for name, each in took.items():
        say(
            f"batches applied {name}: median {BATCH_ROWS / median(each):,.0f} records/s"
        )
    share = median(took["alone"]) / median(took["beside dropping"])
    gone = int(
        await pool.fetchval("SELECT sum(counted) FROM aggregation.ledger_dropped")
    )
    say(f"beside dropping: {share:.2f} of the rate alone; {gone:,} rows went")
    say(f"{gone / seconds_beside:,.0f} rows/s went beside counting")
    await pool.close()


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Run everything."""
    settings = {**SETTINGS, "shared_buffers": "1GB"}
    async with bench_postgres(folder / "postgres", settings) as postgres:
        for name, step in (("alone", drop_alone), ("beside", apply_beside)):
            connection = await asyncpg.connect(postgres.dsn)
            await connection.execute(f'CREATE DATABASE "{name}"')
            await connection.close()
            dsn = postgres.dsn.rpartition("/")[0] + f"/{name}"
            await (await migrated_pool(dsn)).close()
            await step(dsn, options)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        # The servers run as nobody where we are root.
        Path(name).chmod(0o755)
        asyncio.run(measure(options, Path(name)))


if __name__ == "__main__":
    main()
