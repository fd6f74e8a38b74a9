"""The day's forecasts of ten thousand targets, through the service's own store."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import asyncpg

from services.alerting.forecaster import SLICE_TARGETS
from services.alerting.store import EvaluationStore, ForecastStore
from services.cli.embedded.postgres import EmbeddedPostgres
from services.cli.migrate import _run_dbmate, dbmate_url
from shared.postgres.pool import open_pool
from shared.settings import PostgresSettings

TARGETS: Final = 10_000
HISTORY_DAYS: Final = 183
TICK_SECONDS: Final = 0.002
RESTING_SECONDS: Final = 10

FILL: Final = f"""
INSERT INTO alerting.position (partition, caught_up_at) VALUES (0, now());
INSERT INTO alerting.watermark (partition, applied_until, revision)
VALUES (0, now(), 1);
INSERT INTO alerting.unit (indicator, locality, valid_from, level)
SELECT 'accounts', n::text, '2025-07-01', 50000 FROM generate_series(1, {TARGETS}) AS n;
INSERT INTO alerting.unit_day (unit_id, day, count)
SELECT u.unit_id, current_date - n, 100 + abs(hashint8(u.unit_id * 367 + n) % 100)
FROM alerting.unit AS u CROSS JOIN generate_series(-1, {HISTORY_DAYS}) AS n;
INSERT INTO alerting.target (
    target, unit_id, indicator, locality, valid_from, locality_kind, province,
    indicator_name, indicator_name_vi, place_name, timezone, trajectory, start_date,
    start_value, due, goal, enter_bp, leave_bp, for_seconds, keep_seconds, illustrative
)
SELECT
    'target-' || u.unit_id, u.unit_id, u.indicator, u.locality, u.valid_from, 'commune',
    '38', 'Accounts', 'Tài khoản', 'Somewhere', 'Asia/Ho_Chi_Minh', 'linear',
    current_date - 200, 20000, current_date + 164, 60000 + u.unit_id % 30000, 9000,
    9500, 86400, 86400, true
FROM alerting.unit AS u;
ANALYZE;
"""  # noqa: S608 -- two numbers of this module


@dataclass(frozen=True, slots=True)
class Stored:
    """What the day's forecasts cost.

    Attributes:
        seconds: For all, pauses between slices not counted.
        slice_seconds: For the slowest slice, with its transaction.
        pause_seconds: Longest time that the event loop was held up.
        idle_seconds: For a look when nothing is due.
        evaluation_seconds: For one evaluation of all, forecasts read.
    """

    seconds: float
    slice_seconds: float
    pause_seconds: float
    idle_seconds: float
    evaluation_seconds: float


async def measure_stored(folder: Path) -> Stored:
    """Fill a database and make every forecast of a day."""
    async with EmbeddedPostgres(folder / "server", durable=False) as server:
        await _run_dbmate("alerting", dbmate_url(server.dsn))
        connection = await asyncpg.connect(server.dsn)
        await connection.execute(FILL)
        await connection.close()
        settings = PostgresSettings.model_validate({"postgres_dsn": server.dsn})
        pool = await open_pool(settings, role="uptake_alerting", size_max=2)
        try:
            return await _measure(pool)
        finally:
            await pool.close()


async def _measure(pool: asyncpg.Pool) -> Stored:
    store, slices = ForecastStore(pool), []
    pauses: list[float] = []
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(_watch(pauses))
        count = SLICE_TARGETS
        while count == SLICE_TARGETS:
            began = time.perf_counter()
            count = await store.forecast_due(SLICE_TARGETS)
            slices.append(time.perf_counter() - began)
        watch.cancel()
    made = await pool.fetchval(
        "SELECT count(*) FROM reporting.target_forecast WHERE miss_bp IS NOT NULL"
    )
    assert made == TARGETS, f"{made} forecasts of {TARGETS}"
    began = time.perf_counter()
    assert await store.forecast_due(SLICE_TARGETS) == 0
    idle = time.perf_counter() - began
    return Stored(sum(slices), max(slices), max(pauses), idle, await _evaluate(pool))


async def _evaluate(pool: asyncpg.Pool) -> float:
    store = EvaluationStore(pool, timedelta(seconds=RESTING_SECONDS))
    began = time.perf_counter()
    while await store.evaluate_due(200):
        pass
    return time.perf_counter() - began


async def _watch(pauses: list[float]) -> None:
    """Note by how much each short sleep was too long."""
    while True:
        began = time.perf_counter()
        # How late this comes back is what is measured.
        await asyncio.sleep(TICK_SECONDS)
        pauses.append(time.perf_counter() - began - TICK_SECONDS)
