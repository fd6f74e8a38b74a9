"""A year of 34 provinces through the real service, killed and cut off all the while.

The service takes the time from the database. There the test puts a clock of its own
before the real one, and moves it from midnight to midnight, with a look five and ten
minutes after each: alerts have to last ten minutes here instead of a day, so that a
year takes minutes. What has to be told is `tests.support.year_truth`'s.
"""

import os
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from services.cli.embedded.ports import free_port
from shared.events.totals_v1 import DailyTotalV1, StatedLevelV1
from tests.support.scripted_year import (
    DUE,
    END,
    START,
    START_VALUE,
    TIMEZONE,
    WAY,
    date_of,
    scripted_year,
)
from tests.support.stack import Stack, eventually
from tests.support.totals import (
    SINCE,
    Total,
    publish_totals,
    read_alerts,
    watermarks,
    write_targets,
)
from tests.support.year_truth import AT_RISK, Told, expected_alerts

DAYS = int(os.environ.get("UPTAKE_TEST_YEAR_DAYS", str(END)))
KILLS = min(20, DAYS // 6)
SEED = 20_261_122
MINUTE = timedelta(minutes=1)
LOOKS = (0 * MINUTE, 5 * MINUTE, 10 * MINUTE)
INDICATOR = "cashless_accounts"
YEAR = scripted_year()
CLOCK = (
    "CREATE SCHEMA replay",
    "CREATE TABLE replay.clock (at timestamptz NOT NULL)",
    (
        "CREATE FUNCTION replay.clock_timestamp() RETURNS timestamptz "
        "LANGUAGE sql VOLATILE AS 'SELECT at FROM replay.clock'"
    ),
    "GRANT USAGE ON SCHEMA replay TO PUBLIC",
    "GRANT SELECT ON replay.clock TO PUBLIC",
)
"""Unqualified, `clock_timestamp()` then means the test's."""
MOVE = """
WITH moved AS (UPDATE replay.clock SET at = $1)
UPDATE alerting.position SET caught_up_at = $1 WHERE caught_up_at IS NOT NULL
"""
"""The copy holds all there is: the test has seen to it, and nothing comes meanwhile."""

pytestmark = [pytest.mark.slow, pytest.mark.embedded, pytest.mark.timeout(3_600)]


@dataclass(slots=True)
class Inbox:
    """An Alertmanager that is away at times.

    Attributes:
        port: Where it listens when it is there.
        told: What it was told last, by kind and target: from when, until when.
    """

    port: int = field(default_factory=free_port)
    told: dict[tuple[str, str], tuple[datetime, datetime]] = field(default_factory=dict)
    is_away: bool = False

    async def take(self, request: web.Request) -> web.Response:
        """Take alerts, or be away."""
        if self.is_away:
            return web.Response(status=503)
        for alert in await request.json():
            labels = alert["labels"]
            self.told[labels["alertname"], labels["target"]] = (
                datetime.fromisoformat(alert["startsAt"]),
                datetime.fromisoformat(alert["endsAt"]),
            )
        return web.Response()

    def active(self, at: datetime) -> set[tuple[str, str]]:
        """Name what fires, as far as it was told."""
        return {key for key, (_, ends) in self.told.items() if ends > at}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Listen."""
        app = web.Application()
        app.router.add_post("/api/v2/alerts", self.take)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            yield
        finally:
            await runner.cleanup()


def midnight(day: int) -> datetime:
    """Return the instant at which a day begins, by number."""
    return datetime.combine(date_of(day), time(), ZoneInfo(TIMEZONE))


def target(code: str) -> dict[str, Any]:
    """Write a province's target, with a patience of ten minutes."""
    return {
        "id": f"year-{code}",
        "indicator": INDICATOR,
        "locality": code,
        "start": {"date": START, "value": START_VALUE},
        "due": DUE,
        "goal": {"value": START_VALUE + WAY},
        "behind": {"enter": 0.9, "leave": 0.95, "for": "10m", "keep": "10m"},
        "illustrative": True,
    }


def openings() -> Iterator[Total]:
    """State what each province began with."""
    for province in YEAR:
        yield StatedLevelV1(
            indicator=INDICATOR,
            agency="bank",
            locality=f"{province.code}-unallocated",
            valid_from=SINCE,
            day=START - timedelta(days=1),
            level=START_VALUE,
            partition=0,
            revision=1,
        )


def days_of_totals() -> list[list[Total]]:
    """List the totals that each day brings, absolute as aggregation tells them."""
    days: list[list[Total]] = [[] for _ in range(END)]
    for province in YEAR:
        sums: dict[int, int] = defaultdict(int)
        for revision, report in enumerate(province.reports, start=2):
            sums[report.day] += report.count
            days[report.logged_on].append(
                DailyTotalV1(
                    indicator=INDICATOR,
                    agency="bank",
                    locality=f"{province.code}-unallocated",
                    valid_from=SINCE,
                    day=date_of(report.day),
                    count=sums[report.day],
                    amount=0,
                    partition=0,
                    revision=revision,
                )
            )
    return days


@dataclass(slots=True)
class Replay:
    """The service on its way through the year."""

    stack: Stack
    inbox: Inbox
    revision: int = 1
    copied: int = 0

    async def publish(self, totals: Iterable[Total], until: datetime) -> None:
        """Tell totals and that all until an instant is in them; wait for the copy."""
        self.revision += 1
        every = [*totals, *watermarks(until, revision=self.revision)]
        await publish_totals(self.stack, every)
        self.copied += len(every)

        async def is_copied() -> bool:
            rows = await self.stack.fetch(
                "SELECT sum(next_offset) AS end FROM alerting.position"
            )
            return int(rows[0]["end"] or 0) >= self.copied

        await self._until(is_copied, "totals copied")

    async def look(self, at: datetime, *, dies: bool) -> None:
        """Move the clock, and wait until every target was looked at and told of."""
        await self.stack.fetch(MOVE, at)
        if dies:
            await self.stack.kill("alerting")
            self.stack.spawn("alerting")

        async def is_judged() -> bool:
            rows = await self.stack.fetch(
                "SELECT count(*) AS late FROM alerting.target "
                "WHERE evaluated_at IS DISTINCT FROM $1 OR status = 'unknown'",
                at,
            )
            return int(rows[0]["late"]) == 0

        await self._until(is_judged, f"all judged at {at}")

    async def check_inbox(self, at: datetime) -> None:
        """See Alertmanager told of what fires, and of nothing else."""

        async def is_told() -> bool:
            rows = await self.stack.fetch(
                "SELECT kind, target FROM reporting.alert "
                "WHERE state IN ('firing', 'kept')"
            )
            raised = {(row["kind"], row["target"]) for row in rows}
            return self.inbox.active(at) == raised

        await self._until(is_told, f"Alertmanager told of all that fires at {at}")

    async def _until(self, condition: Any, what: str) -> None:  # noqa: ANN401 -- any check
        await eventually(
            condition,
            seconds=120,
            what=f"{what}: {self.stack.log_tail('alerting')}",
        )


async def test_a_year_is_told_right_whatever_is_killed(stack: Stack) -> None:
    """Every transition of the truth, at its midnight, once; nothing else."""
    rng = random.Random(SEED)  # noqa: S311 -- a repeatable choice of moments
    looks = [(day, look) for day in range(DAYS) for look in range(len(LOOKS))]
    deaths = set(rng.sample(looks, min(KILLS, len(looks))))
    inbox = Inbox()
    replay = Replay(stack, inbox)
    write_targets(stack.catalogue, *(target(each.code) for each in YEAR))
    stack.overrides = {"UPTAKE_ALERTMANAGER_URL": f"http://127.0.0.1:{inbox.port}"}
    for statement in CLOCK:
        await stack.fetch(statement)
    name = stack.dsn.rpartition("/")[2]
    await stack.fetch(
        f'ALTER DATABASE "{name}" SET search_path = replay, pg_catalog, public'
    )
    eve = midnight(0) - MINUTE
    await stack.fetch("INSERT INTO replay.clock VALUES ($1)", eve)
    async with inbox.open():
        await stack.start("alerting")
        await replay.publish(openings(), midnight(0) + LOOKS[-1])
        await replay.look(eve + MINUTE / 2, dies=False)
        for day, totals in enumerate([[], *days_of_totals()][:DAYS]):
            inbox.is_away = day % 50 >= 40
            await replay.publish(totals, midnight(day) + LOOKS[-1])
            for number, after in enumerate(LOOKS):
                await replay.look(midnight(day) + after, dies=(day, number) in deaths)
            if day % 50 in {39, 49}:
                inbox.is_away = False
                await replay.check_inbox(midnight(day) + LOOKS[-1])
        found = await told_at_last(stack)
    truth = {
        each
        for province in YEAR
        for each in expected_alerts(province, outages=(), is_hasty=True)
        if each.day < DAYS
    }
    assert found == truth


async def told_at_last(stack: Stack) -> set[Told]:
    """Read what was told, and see that an id never means two things."""

    async def is_empty() -> bool:
        return not await stack.fetch("SELECT 1 FROM alerting.outbox")

    await eventually(is_empty, seconds=60, what="empty outbox")
    by_id: dict[str, set[Told]] = defaultdict(set)
    for notice in await read_alerts(stack):
        data = notice.data
        if data.kind.value != AT_RISK:
            local = notice.time.astimezone(ZoneInfo(TIMEZONE))
            told = Told(
                (local.date() - START).days,
                data.target,
                data.kind.value,
                data.state.value,
                data.episode,
            )
            by_id[notice.id].add(told)
    assert all(len(meant) == 1 for meant in by_id.values())
    return {told for meant in by_id.values() for told in meant}
