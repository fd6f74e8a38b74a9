"""How long a look at many targets takes, and how soon an event is at Alertmanager.

The looks are those of the service, in this process, on a Postgres of their own: of
targets that all lag and whose alerts are all raised. The way of an event is that of
the whole system, from `POST /v1/events` to a receiver of Alertmanager's API.
"""

import asyncio
import gc
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import asyncpg

from services.alerting.__main__ import GARBAGE_THRESHOLD
from services.alerting.core.alerts import Kind
from services.alerting.core.copied import (
    CaughtUp,
    DayTotal,
    Stretch,
    TotalsBatch,
    Watermark,
)
from services.alerting.core.evaluation import Memory, evaluate
from services.alerting.core.status import Reading
from services.alerting.core.texts import Names
from services.alerting.store import DefinitionStore, EvaluationStore, TotalsStore
from services.alerting.ticker import CALM_TARGETS_MAX, LOOKS_AT_ONCE, TARGETS_MAX
from services.cli.migrate import _run_dbmate, dbmate_url
from services.cli.shipped import shipped_catalogue
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Behind, Catalogue, LocalityKind, Target
from shared.events.alert_v1 import AlertV1
from shared.postgres.pool import open_pool
from shared.settings import PostgresSettings
from tests.bench.alert_recount import recount_notices, targets_that_lag
from tests.bench.report import Report
from tests.support.events import now
from tests.support.totals import local_today

ALL_INDICATORS: Final = ("cashless_accounts", "eid_accounts", "cashless_beneficiaries")
GOAL: Final = 100_000_000
LOOK_ASKED: Final = "< 1"
CALM_INTERVAL: Final = timedelta(minutes=5)
CALM_LOOKS: Final = 5
ONE_BY_ONE: Final = 200
FILL_SECONDS_MAX: Final = 300.0
AGE_WORDS: Final = (
    "UPDATE alerting.alert SET evaluated_at = evaluated_at - interval '1 min'"
)
# What a long window looks at, and some days more.
ADD_DAYS: Final = """
INSERT INTO alerting.daily_total (
    indicator, agency, locality, valid_from, day, count, amount, partition, revision
)
SELECT i.indicator, 'bank', l.code, l.valid_from, $4::date - d.back, 100, 0, 0, 0
FROM unnest($1::text[]) AS i (indicator)
CROSS JOIN unnest($2::text[], $3::date[]) AS l (code, valid_from)
CROSS JOIN generate_series(1, 30) AS d (back)
"""


async def measure_looks(dsn: str, report: Report, *, targets: int, runs: int) -> None:
    """Look at all targets again and again, with and without news.

    Args:
        dsn: An empty database.
        report: Is given the figures.
        targets: How many.
        runs: Looks of each sort.
    """
    await _run_dbmate("alerting", dbmate_url(dsn))
    settings = PostgresSettings.model_validate({"postgres_dsn": dsn})
    pool = await open_pool(settings, role="uptake_alerting", size_max=LOOKS_AT_ONCE)
    catalogue = _with_targets(load_catalogue(shipped_catalogue()), targets)
    copy = _Copy(pool, catalogue)
    await copy.fill()
    await DefinitionStore(pool).take_over(catalogue)
    await copy.write()
    await pool.execute("VACUUM (ANALYZE) alerting.unit_day, alerting.unit")
    # As the service does.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    name = f"one look at {targets:,} targets"
    report.add(f"{name}, the first", "s", [await _look(pool, targets)], LOOK_ASKED)
    # Their `for` of a minute is over: all of them fire at this look.
    await pool.execute("UPDATE alerting.alert SET credited = interval '59.999 s'")
    await pool.execute("UPDATE alerting.target SET calm_until = '-infinity'")
    report.add(f"{name}, all fire", "s", [await _look(pool, targets)], LOOK_ASKED)
    calm, full, moved, said = [], [], [], []
    for _ in range(runs):
        await pool.execute(AGE_WORDS)
        await _look(pool, targets)
        full.append(await _look(pool, targets))
        calm += [await _look(pool, targets) for _ in range(CALM_LOOKS)]
        await copy.write()
        moved.append(await _look(pool, targets))
        await copy.write()
        await pool.execute(AGE_WORDS)
        said.append(await _look(pool, targets))
    report.add(f"{name}, nothing moved", "s", calm, LOOK_ASKED)
    report.add("- the same, each looked at in full", "s", full)
    report.add(f"{name}, every total moved", "s", moved, LOOK_ASKED)
    report.add(f"{name}, and every text is due", "s", said, LOOK_ASKED)
    await _measure_beside(pool, copy, catalogue, report)
    await _recount(pool, catalogue, report)
    await pool.close()


async def _measure_beside(
    pool: asyncpg.Pool, copy: "_Copy", catalogue: Catalogue, report: Report
) -> None:
    """Do the same one target at a time, and without Postgres."""
    store, targets = EvaluationStore(pool, CALM_INTERVAL), len(catalogue.targets)
    await copy.write()
    await pool.execute("UPDATE alerting.target SET next_evaluation_at = now()")
    began = time.monotonic()
    for _ in range(ONE_BY_ONE):
        assert await store.evaluate_due(1) == 1
    took = (time.monotonic() - began) * targets / ONE_BY_ONE
    name = f"- every total moved, one at a time ({ONE_BY_ONE} of them, for all)"
    report.add(name, "s", [took])
    at, today = now(), local_today()
    reading = Reading(100, None, 7, 28, is_filling=False, complete_until=at)
    memory = Memory(None, None, None, is_lagging=True, lives={})
    began = time.monotonic()
    for target in catalogue.targets.values():
        evaluate(
            target,
            Names(target.indicator, target.indicator, target.id),
            memory,
            reading,
            is_removed=False,
            today=today,
            now=at,
            interval=CALM_INTERVAL,
        )
    took = time.monotonic() - began
    report.add("- the first look's arithmetic and words, without Postgres", "s", [took])


async def _recount(pool: asyncpg.Pool, catalogue: Catalogue, report: Report) -> None:
    """Say how many alerts should be raised, if just these were, and once."""
    lagging = await targets_that_lag(pool, catalogue, local_today())
    rows = await pool.fetch("SELECT message FROM alerting.outbox")
    notices = [AlertV1.model_validate_json(row["message"]) for row in rows]
    raised = recount_notices(notices, {Kind.LAGGING.value: lagging})
    found = await pool.fetch(
        "SELECT target FROM alerting.alert "
        "WHERE state = 'firing' AND kind = 'TargetLagging'"
    )
    assert {row["target"] for row in found} == lagging, "other alerts are raised"
    report.machine["raised once, recounted from the copy"] = f"{raised:,}"


def _with_targets(catalogue: Catalogue, count: int) -> Catalogue:
    """Give a catalogue so many targets that lag, at as many units as there are."""
    today = local_today()
    units = [
        each.key
        for each in catalogue.tree
        if each.kind in {LocalityKind.COMMUNE, LocalityKind.PROVINCE}
    ]
    targets = {}
    for number in range(count):
        turn, place = divmod(number, len(units))
        id_ = f"bench-{number}"
        targets[id_] = Target(
            id=id_,
            indicator=ALL_INDICATORS[turn % len(ALL_INDICATORS)],
            locality=units[place],
            start_date=today - timedelta(days=100),
            start_value=0,
            due=today + timedelta(days=200),
            goal_value=GOAL,
            behind=Behind(for_seconds=60, keep_seconds=60),
            illustrative=True,
        )
    return replace(catalogue, targets=targets)


class _Copy:
    """Writes totals as the consumer does."""

    def __init__(self, pool: asyncpg.Pool, catalogue: Catalogue) -> None:
        self._pool = pool
        self._totals = TotalsStore(pool)
        self._leaves = [leaf.key for leaf in catalogue.tree.leaves()]
        self._offset = 0

    async def fill(self) -> None:
        """Have effects of the last days at every leaf, before any target is known."""
        await self._pool.execute(
            ADD_DAYS,
            list(ALL_INDICATORS),
            [leaf.code for leaf in self._leaves],
            [leaf.valid_from for leaf in self._leaves],
            local_today(),
            timeout=FILL_SECONDS_MAX,
        )

    async def write(self) -> None:
        """Have every leaf's effects of yesterday be others."""
        await self._totals.positions(1)
        for indicator in ALL_INDICATORS:
            await self._apply(indicator, local_today() - timedelta(days=1))
        await self._totals.note_caught_up({0: CaughtUp(self._offset, timedelta())})

    async def _apply(self, indicator: str, day: date) -> None:
        before, self._offset = self._offset, self._offset + 1
        rows = [
            DayTotal(indicator, "bank", *leaf, day, 100 + self._offset, 0, 0, before)
            for leaf in self._leaves
        ]
        await self._totals.apply(
            TotalsBatch(
                {0: Stretch(before, self._offset, bytes(32))},
                days=rows,
                watermarks=[Watermark(0, now(), self._offset)],
            )
        )


async def _look(pool: asyncpg.Pool, targets: int) -> float:
    """Have all targets due, and look at each once, as `Ticker` does."""
    await pool.execute("UPDATE alerting.target SET next_evaluation_at = now()")
    store, left = EvaluationStore(pool, CALM_INTERVAL), targets

    async def drain() -> None:
        nonlocal left
        while left > 0 and (count := await store.evaluate_due(TARGETS_MAX)):
            left -= count

    began = time.monotonic()
    while count := await store.look_at_calm(CALM_TARGETS_MAX):
        left -= count
    async with asyncio.TaskGroup() as tasks:
        for _ in range(LOOKS_AT_ONCE):
            tasks.create_task(drain())
    took = time.monotonic() - began
    assert left == 0, f"{left} targets were not looked at"
    return took
