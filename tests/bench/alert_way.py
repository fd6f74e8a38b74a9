"""How soon an event, or the clock, is at Alertmanager, with many targets.

The way is that of the whole system, from `POST /v1/events` to a receiver of
Alertmanager's API, in processes of their own.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import yaml

from shared.catalogue.load import load_catalogue
from shared.catalogue.model import LocalityKind
from tests.bench.alert_receiver import AlertReceiver
from tests.bench.alert_recount import recount_notices
from tests.bench.report import Report
from tests.support.catalogues import SOURCES
from tests.support.events import event, now
from tests.support.stack import Stack, eventually
from tests.support.totals import local_today, read_alerts

INDICATOR: Final = "cashless_accounts"
OUT_OF_REACH: Final = 1_000_000
GOAL: Final = 10
WAY_ASKED: Final = "p99 <= 5"
EVENTS_PER_SECOND: Final = 20
EVENTS_SECONDS: Final = 30
SEED: Final = 1
START_SECONDS_MAX: Final = 300.0


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
        met = await _by_events(stack, receiver, report, communes)
        told = recount_notices(
            await read_alerts(stack),
            {"TargetLagging": {f"bench-{n}" for n in range(targets)}, "TargetMet": met},
        )
        assert receiver.episodes() == {1}, "an alert was raised twice"
        report.machine["raised once, recounted in uptake.alerts"] = f"{told:,}"
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
    name = f"clock to Alertmanager, {targets:,} alerts at once"
    report.add(name, "s", waits, WAY_ASKED)


async def _by_events(
    stack: Stack, receiver: AlertReceiver, report: Report, communes: list[str]
) -> set[str]:
    """One commune after another comes to its goal; return the targets met."""
    chance = random.Random(SEED)  # noqa: S311 -- a seeded plan
    count = min(EVENTS_PER_SECOND * EVENTS_SECONDS, len(communes))
    chosen = chance.sample(range(len(communes)), k=count)
    sent: dict[str, datetime] = {}
    began = time.monotonic()
    for number, place in enumerate(chosen):
        due = began + number / EVENTS_PER_SECOND
        # Events come at their rate, whatever became of those before.
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
    name = f"event to Alertmanager, {EVENTS_PER_SECOND}/s, {len(sent):,} events"
    report.add(name, "s", waits, WAY_ASKED)
    return set(sent)


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
