"""Reading levels with ten million daily totals, made by SQL: today's and past days'."""

import random
import statistics
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import asyncpg

from services.aggregation.sql import QUERIES
from services.aggregation.store.ledger import LedgerStore
from tests.bench.report import Report
from tests.bench.workload import TODAY
from tests.support.ledger_model import KEPT_FOR
from tests.support.ledger_store import migrated_pool

DAYS: Final = 745
STEP_DAYS: Final = 31
READS: Final = 300
SEED: Final = 1

ADD_SERIES: Final = """
INSERT INTO aggregation.series (indicator, agency, locality, valid_from)
SELECT s.indicator, s.agency, l.leaf, l.leaf_valid_from
FROM (SELECT DISTINCT leaf, leaf_valid_from FROM aggregation.locality_above) AS l
CROSS JOIN (
    VALUES
        ('cashless_accounts', 'bank'),
        ('cashless_accounts', 'post'),
        ('eid_accounts', 'police'),
        ('ecommerce_transactions', 'shop')
) AS s (indicator, agency)
ORDER BY l.leaf, s.indicator, s.agency
"""
# Day after day, as a log would have brought them.
ADD_DAYS: Final = """
INSERT INTO aggregation.daily_total (series_id, day, count, amount)
SELECT
    s.series_id, $1::date + n, 1 + abs(hashint4(s.series_id + 31 * n) % 400),
    CASE WHEN s.indicator = 'ecommerce_transactions'
        THEN 412750 * (1 + s.series_id % 90) ELSE 0 END
FROM generate_series(0, $2::date - $1::date) AS n
CROSS JOIN aggregation.series AS s
ORDER BY n, s.series_id
"""
# Two statements for every fifth series that is a stock, on any of the days.
ADD_STATEMENTS: Final = """
INSERT INTO aggregation.statement (
    source, id, indicator, agency, locality, valid_from, day, occurred_at, level,
    logged_at
)
SELECT
    '/bench', s.series_id || '-' || n, s.indicator, s.agency, s.locality, s.valid_from,
    d.day, d.day::timestamptz, 10000 + s.series_id % 5000, d.day::timestamptz
FROM aggregation.series AS s
CROSS JOIN generate_series(1, 2) AS n
CROSS JOIN LATERAL (
    SELECT $1::date - abs(hashint4(7 * s.series_id + n) % $2::integer) AS day
) AS d
WHERE s.indicator <> 'ecommerce_transactions' AND s.series_id % 5 = 0
"""
UNITS: Final = """
SELECT code, kind FROM reporting.locality
WHERE kind IN ('nation', 'province', 'commune')
ORDER BY code
"""
TODAYS: Final = """
SELECT indicator, count, amount FROM reporting.running_total WHERE locality = $1
"""
PAST: Final = """
SELECT indicator, count, amount FROM reporting.running_total_by_day
WHERE locality = $1 AND day = $2
"""


async def measure_levels(dsn: str, folder: Path, report: Report) -> None:
    """Fill a database, carry its levels forward, and read units at random."""
    async with migrated_pool(dsn, folder) as pool:
        await fill_days(pool, report)
        await carry_days(pool, report)
        await pool.execute("VACUUM (ANALYZE)", timeout=600)
        units: dict[str, list[str]] = {}
        for row in await pool.fetch(UNITS):
            units.setdefault(row["kind"], []).append(row["code"])
        chance = random.Random(SEED)  # noqa: S311 -- a seeded plan
        async with pool.acquire() as connection:
            await connection.execute("SET ROLE uptake_reader")
            # Kept for all units, a plan would be that of a commune also for the nation.
            await connection.execute("SET plan_cache_mode = force_custom_plan")
            for kind, codes in units.items():
                asked = [(chance.choice(codes),) for _ in range(READS)]
                _add(report, f"today, {kind}", await _read(connection, TODAYS, asked))
                days = [
                    TODAY - timedelta(days=chance.randrange(1, DAYS)) for _ in asked
                ]
                past = [(*unit, day) for unit, day in zip(asked, days, strict=True)]
                taken = await _read(connection, PAST, past)
                _add(report, f"a past day, {kind}", taken, "<= 500")
            await connection.execute("RESET ROLE")
            metrics: list[tuple[object, ...]] = [()] * (READS // 10)
            taken = await _read(connection, QUERIES["read_levels"], metrics)
            _add(report, "today, all for the metrics", taken, "")


async def fill_days(pool: asyncpg.Pool, report: Report) -> None:
    """Make series, days and statements."""
    await pool.execute(ADD_SERIES)
    first = TODAY - timedelta(days=DAYS - 1)
    begin = first
    while begin <= TODAY:
        end = min(begin + timedelta(days=STEP_DAYS - 1), TODAY)
        await pool.execute(ADD_DAYS, begin, end, timeout=600)
        begin = end + timedelta(days=1)
    await pool.execute(ADD_STATEMENTS, TODAY, DAYS)
    await pool.execute("VACUUM (ANALYZE)", timeout=600)
    for table in ("daily_total", "statement"):
        rows = await pool.fetchval(f"SELECT count(*) FROM aggregation.{table}")  # noqa: S608 -- two fixed names
        report.add(f"rows in {table}", "rows", [rows])


async def carry_days(pool: asyncpg.Pool, report: Report) -> None:
    """Carry the whole past forward, day by day, as the service does."""
    ledger, taken = LedgerStore(pool, KEPT_FOR), []
    day: date | None = date.min
    while day is not None:
        began = time.monotonic()
        day = await ledger.carry_forward()
        taken.append(time.monotonic() - began)
    report.add("carrying a day forward", "ms", [each * 1000 for each in taken[:-1]])
    report.add("carrying the whole past forward", "s", [sum(taken)])


async def _read(
    connection: asyncpg.pool.PoolConnectionProxy,
    query: str,
    asked: Sequence[tuple[object, ...]],
) -> list[float]:
    """Read one after the other; return milliseconds."""
    taken: list[float] = []
    for parameters in asked:
        began = time.perf_counter()
        rows = await connection.fetch(query, *parameters)
        taken.append((time.perf_counter() - began) * 1000)
        assert rows, f"no level: {parameters}"
    return taken


def _add(
    report: Report, name: str, taken: Sequence[float], target: str = "<= 50"
) -> None:
    report.add(f"level {name}, p50", "ms", [statistics.median(taken)])
    p99 = statistics.quantiles(taken, n=100, method="inclusive")[98]
    report.add(f"level {name}, p99", "ms", [p99], target)
