"""`python -m tests.bench.receipts`: how long the board takes to tell receipts.

A board as it is shipped, asked over HTTP by one client and by several at once; of the
ids nine in ten are in the ledger, the others were rejected or never sent. Beside it the
same look-up by source and id through the view, without its key.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import asyncpg

from services.aggregation.core.record import LogRecord
from services.cli.embedded.broker import EmbeddedBroker
from shared.ledger_key import ledger_key
from shared.postgres.queries import load_queries
from tests.bench.drain import BATCH_ROWS
from tests.bench.forgetting import say
from tests.bench.rows import bench_postgres
from tests.support.catalogues import KEYS, copy_catalogue
from tests.support.forgetting import Ledger, migrated_pool
from tests.support.log_records import NINE, counted
from tests.support.stack import Stack

SOURCE = "/test/bank"
REJECTED = 10_000
SETTINGS = {"shared_buffers": "1GB"}
REJECT = """
WITH record AS (
    SELECT n, json_build_object('agency', 'bank', 'source', $2::text, 'id', 'bad-' || n)
        AS value
    FROM generate_series(0, $3::bigint - 1) AS n
)
INSERT INTO aggregation.outbox_rejected
SELECT 0, $1::bigint + n, 'reversal_mismatch', 'data.time is another', now(), 'bank',
    convert_to(value::text, 'UTF8')
FROM record
"""
BY_SOURCE_AND_ID = "SELECT * FROM reporting.ledger WHERE source = $1 AND id = $2"


async def fill(dsn: str, rows: int) -> None:
    """Give the ledger rows as the service writes them, and rejections."""
    pool = await migrated_pool(dsn)
    ledger = Ledger(pool)
    await ledger.start(1)
    for first in range(0, rows, BATCH_ROWS):
        batch = []
        for offset in range(first, min(first + BATCH_ROWS, rows)):
            event = counted(f"order-{offset}", source=SOURCE, time=NINE)
            key = ledger_key(event.source, event.id)
            batch.append(LogRecord(0, offset, NINE, event, key))
        await ledger.apply(batch)
    began = time.monotonic()
    await pool.execute(REJECT, rows, SOURCE, REJECTED, timeout=60)
    took = time.monotonic() - began
    say(f"{REJECTED:,} rejections noted: {took / REJECTED * 1e6:.0f} us each")
    await pool.execute("VACUUM (ANALYZE) aggregation.ledger", timeout=600)
    await pool.execute("VACUUM (ANALYZE) aggregation.rejection", timeout=600)
    await pool.close()


def draw(chance: random.Random, rows: int, count: int) -> list[dict[str, str]]:
    """Draw ids: most are counted, some rejected, some were never sent."""
    ids = []
    for _ in range(count):
        kind = chance.random()
        if kind < 0.9:
            ids.append(f"order-{chance.randrange(rows)}")
        elif kind < 0.95:
            ids.append(f"bad-{chance.randrange(REJECTED)}")
        else:
            ids.append(f"none-{chance.randrange(rows)}")
    return [{"source": SOURCE, "id": id_} for id_ in ids]


async def ask_often(
    url: str, rows: int, *, ids: int, requests: int, seed: int
) -> list[float]:
    """Ask one after the other; return how many seconds each answer took."""
    chance = random.Random(seed)  # noqa: S311 -- a seeded plan
    took: list[float] = []
    headers = {
        "authorization": f"Bearer {KEYS['bank']}",
        "content-type": "application/json",
    }
    async with aiohttp.ClientSession(headers=headers) as session:
        for _ in range(requests):
            body = json.dumps({"events": draw(chance, rows, ids)}).encode()
            began = time.monotonic()
            async with session.post(f"{url}/v1/receipts", data=body) as answer:
                told = await answer.read()
            took.append(time.monotonic() - began)
            assert answer.status == 200, told
            assert told.count(b'"state"') == ids
    return took


async def ask_alive(url: str, requests: int) -> list[float]:
    """Ask for nothing: what HTTP alone takes on this machine at this time."""
    took = []
    async with aiohttp.ClientSession() as session:
        for _ in range(requests):
            began = time.monotonic()
            async with session.get(f"{url}/health/live") as answer:
                await answer.read()
            took.append(time.monotonic() - began)
    return took


def say_seconds(what: str, took: Sequence[float]) -> None:
    """Say the middle and the 99th percentile."""
    ordered = sorted(took)
    middle, high = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    say(f"{what}: p50 {middle * 1000:.1f} ms, p99 {high * 1000:.1f} ms")


async def explain(dsn: str, rows: int) -> None:
    """Say how Postgres looks a thousand ids up."""
    connection = await asyncpg.connect(dsn)
    asked = draw(random.Random(1), rows, 1_000)  # noqa: S311 -- a seeded plan
    keys = [ledger_key(each["source"], each["id"]) for each in asked]
    query = load_queries("shared.postgres", "receipts.sql")["read_receipts"]
    lines = await connection.fetch(
        f"EXPLAIN ANALYZE {query}",
        keys,
        [each["source"] for each in asked],
        [each["id"] for each in asked],
        "bank",
    )
    for line in lines:
        say(line[0])
    await connection.close()


async def measure(dsn: str, options: argparse.Namespace, folder: Path) -> None:
    """Start the board and ask it."""
    await fill(dsn, options.rows)
    connection = await asyncpg.connect(dsn)
    began = time.monotonic()
    for number in range(5):
        await connection.fetch(BY_SOURCE_AND_ID, SOURCE, f"order-{number * 7}")
    took = (time.monotonic() - began) / 5
    say(f"one id by the view without its key: {took * 1000:.1f} ms")
    await connection.close()
    if options.explain:
        await explain(dsn, options.rows)
    stack = Stack(
        broker=EmbeddedBroker(folder / "none"),
        bootstrap_servers="127.0.0.1:9",
        dsn=dsn,
        catalogue=copy_catalogue(folder / "catalogue"),
        folder=folder,
        is_embedded=True,
    )
    try:
        await stack.start("board")
        url = f"http://127.0.0.1:{stack.ports['board']}"
        await ask_often(url, options.rows, ids=100, requests=50, seed=0)
        say_seconds("/health/live", await ask_alive(url, 2_000))
        for ids, requests in ((1, 2_000), (1_000, 300)):
            took_each = await ask_often(
                url, options.rows, ids=ids, requests=requests, seed=ids
            )
            say_seconds(f"{ids:,} ids, one client", took_each)
            async with asyncio.TaskGroup() as tasks:
                asking = [
                    tasks.create_task(
                        ask_often(
                            url,
                            options.rows,
                            ids=ids,
                            requests=requests // 4,
                            seed=seed,
                        )
                    )
                    for seed in range(4)
                ]
            every = [seconds for task in asking for seconds in task.result()]
            say_seconds(f"{ids:,} ids, four clients at once", every)
    finally:
        await stack.stop()


async def run(options: argparse.Namespace, folder: Path) -> None:
    """Measure on a Postgres of its own."""
    async with bench_postgres(folder / "postgres", SETTINGS) as postgres:
        load = os.getloadavg()[0]
        say(f"{postgres.version}, {options.rows:,} ledger rows, load {load:.1f}")
        await measure(postgres.dsn, options, folder)
        say(f"load after: {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Read the command line, measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--explain", action="store_true", help="show the plan")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        asyncio.run(run(options, folder))


if __name__ == "__main__":
    main()
