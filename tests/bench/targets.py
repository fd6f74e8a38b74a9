"""How long a look at many targets takes, and how soon an event is at Alertmanager.

The looks are those of the service, in this process, on a Postgres of their own: of
targets that all lag and whose alerts are all raised. The way of an event is that of
the whole system, from `POST /v1/events` to a receiver of Alertmanager's API.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import yaml

from services.alerting.core.copied import (
    CaughtUp,
    DayTotal,
    Stretch,
    TotalsBatch,
    Watermark,
)
from services.alerting.store import DefinitionStore, EvaluationStore, TotalsStore
from services.alerting.ticker import LOOKS_AT_ONCE, TARGETS_MAX
from services.cli.migrate import _run_dbmate, dbmate_url
from services.cli.shipped import shipped_catalogue
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Behind, Catalogue, LocalityKind, Target
from shared.postgres.pool import open_pool
from shared.settings import PostgresSettings
from tests.bench.alert_receiver import AlertReceiver, percentiles
from tests.bench.report import Report
from tests.support.catalogues import SOURCES
from tests.support.events import event, now
from tests.support.stack import Stack, eventually
from tests.support.totals import local_today

INDICATOR: Final = "cashless_accounts"
ALL_INDICATORS: Final = (INDICATOR, "eid_accounts", "cashless_beneficiaries")
OUT_OF_REACH: Final = 1_000_000
GOAL: Final = 10
LOOK_ASKED: Final = "< 1"
WAY_ASKED: Final = "<= 5"
EVENTS_PER_SECOND: Final = 20
EVENTS_SECONDS: Final = 30
START_SECONDS_MAX: Final = 300.0
INTERVAL: Final = timedelta(seconds=10)
SEED: Final = 1
FILL_SECONDS_MAX: Final = 300.0
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
    name = f"one look at {targets:,} targets"
    report.add(f"{name}, the first", "s", [await _look(pool, targets)])
    # Their `for` of a minute is over: all of them fire at this look.
    await pool.execute("UPDATE alerting.alert SET credited = interval '59.999 s'")
    report.add(f"{name}, all fire", "s", [await _look(pool, targets)], LOOK_ASKED)
    quiet, moved, said = [], [], []
    for _ in range(runs):
        quiet.append(await _look(pool, targets))
        await copy.write()
        moved.append(await _look(pool, targets))
        await copy.write()
        await pool.execute(
            "UPDATE alerting.alert SET evaluated_at = evaluated_at - interval '1 min'"
        )
        said.append(await _look(pool, targets))
    report.add(f"{name}, by the clock", "s", quiet, LOOK_ASKED)
    report.add(f"{name}, every total moved", "s", moved, LOOK_ASKED)
    report.add(f"{name}, and every text is due", "s", said, LOOK_ASKED)
    raised = await pool.fetchval(
        "SELECT count(*) FROM alerting.alert WHERE state = 'firing'"
    )
    assert raised == targets, f"{raised} alerts are raised"
    await pool.close()


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
            goal_value=100 * OUT_OF_REACH,
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
    store, left = EvaluationStore(pool, timedelta(minutes=5)), targets

    async def drain() -> None:
        nonlocal left
        while left > 0 and (count := await store.evaluate_due(TARGETS_MAX)):
            left -= count

    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(LOOKS_AT_ONCE):
            tasks.create_task(drain())
    took = time.monotonic() - began
    assert left == 0, f"{left} targets were not looked at"
    return took


async def measure_way(stack: Stack, report: Report, *, targets: int) -> None:
    """Let targets fire by the clock, then be met by events; note when it is told.

    Args:
        stack: Migrated; nothing runs yet.
        report: Is given the figures.
        targets: How many.
    """
    communes = _write_targets(stack.catalogue, targets)
    async with AlertReceiver() as receiver:
        stack.spawn("ingest")
        stack.spawn("aggregation")
        stack.spawn("alerting", UPTAKE_ALERTMANAGER_URL=receiver.url)
        for service in ("ingest", "aggregation", "alerting"):
            await stack.wait_ready(service, seconds=START_SECONDS_MAX)
        await _by_the_clock(stack, receiver, report, targets)
        await _by_events(stack, receiver, report, communes)
    await stack.stop()


async def _by_the_clock(
    stack: Stack, receiver: AlertReceiver, report: Report, targets: int
) -> None:
    """All lag from the start, and all their waits are over within seconds."""
    await _until(lambda: receiver.count("TargetLagging") == targets, "all lag")
    rows = await stack.fetch(
        "SELECT target, pending_since + interval '1 s' AS due FROM reporting.alert "
        "WHERE kind = 'TargetLagging'"
    )
    waits = [
        (receiver.first("TargetLagging", row["target"]) - row["due"]).total_seconds()
        for row in rows
    ]
    _add(report, f"clock to Alertmanager, {targets:,} at once", waits, "")


async def _by_events(
    stack: Stack, receiver: AlertReceiver, report: Report, communes: list[str]
) -> None:
    """One commune after another comes to its goal."""
    chance = random.Random(SEED)  # noqa: S311 -- a seeded plan
    count = min(EVENTS_PER_SECOND * EVENTS_SECONDS, len(communes))
    chosen = chance.sample(range(len(communes)), k=count)
    sent: dict[str, Any] = {}
    began = time.monotonic()
    for number, place in enumerate(chosen):
        due = began + number / EVENTS_PER_SECOND
        await asyncio.sleep(max(due - time.monotonic(), 0))
        sent[f"bench-{place}"] = now()
        made = event(source=SOURCES["census"], locality=communes[place], count=GOAL)
        answer = await stack.post(made, agency="census")
        assert answer.status == 202, answer
    await _until(lambda: receiver.count("TargetMet") == count, "all are met")
    waits = [
        (receiver.first("TargetMet", target) - at).total_seconds()
        for target, at in sent.items()
    ]
    _add(report, f"event to Alertmanager at {EVENTS_PER_SECOND}/s", waits, WAY_ASKED)


def _write_targets(catalogue: Path, count: int) -> list[str]:
    """Write targets of communes: of each one first that a single event reaches."""
    tree = load_catalogue(catalogue).tree
    communes = [each.key.code for each in tree if each.kind is LocalityKind.COMMUNE]
    begin = local_today() - timedelta(days=50)
    documents = [
        {
            "id": f"bench-{number}",
            "indicator": INDICATOR,
            "locality": communes[number % len(communes)],
            "start": {"date": begin, "value": 0},
            "due": begin + timedelta(days=100),
            "goal": {"value": GOAL if number < len(communes) else OUT_OF_REACH},
            "behind": {"enter": 0.9, "leave": 0.95, "for": "1s", "keep": "1s"},
            "illustrative": True,
        }
        for number in range(count)
    ]
    folder = catalogue / "targets"
    for file in folder.iterdir():
        file.unlink()
    (folder / "bench.yaml").write_text(yaml.safe_dump(documents), encoding="utf-8")
    return communes[:count]


async def _until(condition: Callable[[], bool], what: str) -> None:
    async def holds() -> bool:
        return condition()

    wait: Awaitable[None] = eventually(holds, seconds=START_SECONDS_MAX, what=what)
    await wait


def _add(report: Report, name: str, waits: list[float], asked: str) -> None:
    p50, p99 = percentiles(waits)
    report.add(f"{name}, p50", "s", [p50])
    report.add(f"{name}, p99", "s", [p99], asked)
