"""What agencies claim, as alerting keeps it in Postgres and raises alerts about it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import asyncpg
import pytest

from services.alerting.core.copied import (
    CaughtUp,
    Claim,
    DayTotal,
    Stretch,
    TotalsBatch,
    Watermark,
)
from services.alerting.core.life_cycle import Policy
from services.alerting.store import (
    AlertStore,
    ComparisonStore,
    DefinitionStore,
    TotalsStore,
)
from services.cli.migrate import _run_dbmate, dbmate_url
from services.cli.shipped import shipped_catalogue
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Agency
from shared.clock import SystemClock
from shared.postgres.pool import open_pool
from shared.postgres.queries import load_queries
from shared.settings import PostgresSettings
from tests.support.totals import SINCE, local_today

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
CASHLESS: Final = "cashless_accounts"
LIMIT: Final = 100
TOLD: Final = load_queries("services.cli", "sql/targets.sql")
BANK: Final = Agency(
    id="bank",
    name="Bank association",
    sources=("/test/bank",),
    indicators=frozenset({CASHLESS}),
    locality="38",
    kafka=True,
)
"""Owes no reports: it has no cadence."""


class World:
    """A database of alerting's, and what happens in it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.store = ComparisonStore(pool)
        self._offset = 0
        shipped = load_catalogue(shipped_catalogue())
        self._catalogue = replace(shipped, agencies={}, targets={})

    async def take_over(self, *agencies: Agency) -> None:
        """Take a catalogue over that has these agencies and no others."""
        agencies_by_id = {one.id: one for one in agencies}
        await DefinitionStore(self.pool).take_over(
            replace(self._catalogue, agencies=agencies_by_id)
        )

    async def log(
        self,
        *,
        claimed: int | None = None,
        counted: dict[str, int] | None = None,
        ago: int = 1,
        revision: int | None = None,
        claims: tuple[Claim, ...] = (),
    ) -> None:
        """Copy what an agency claims of a day, or what was counted of it by leaf."""
        offset = self._offset + 1
        written = offset if revision is None else revision
        day = local_today() - ago * DAY
        if claimed is not None:
            claims = (Claim("bank", CASHLESS, day, claimed, 0, written),)
        days = [
            DayTotal(CASHLESS, "bank", leaf, SINCE, day, count, 0, 0, written)
            for leaf, count in (counted or {}).items()
        ]
        totals = TotalsStore(self.pool)
        await totals.apply(
            TotalsBatch(
                {0: Stretch(self._offset, offset, bytes(32))},
                days=days,
                claims=list(claims),
                watermarks=[Watermark(0, SystemClock().now(), offset)],
            )
        )
        self._offset = offset
        await totals.note_caught_up({0: CaughtUp(offset, timedelta())})

    async def pass_time(self, minutes: int) -> None:
        """Have so many minutes pass for alerts, and look once a minute."""
        for _ in range(minutes):
            await self.pool.execute(
                "UPDATE alerting.alert SET seen_at = seen_at - interval '1 minute'"
            )
            await self.pool.execute(
                "UPDATE alerting.comparison "
                "SET next_look_at = next_look_at - interval '1 minute'"
            )
            await self.store.compare_due(LIMIT)

    async def state(self) -> str | None:
        """Return the state of the alert about the bank's claims, once looked at."""
        await self.store.compare_due(LIMIT)
        state: str | None = await self.pool.fetchval(
            "SELECT state FROM reporting.alert "
            "WHERE kind = 'ControlMismatch' AND agency = 'bank'"
        )
        return state

    async def told(self) -> list[tuple[str, str]]:
        """Return what waits to be told: of whom, and which state."""
        rows = await self.pool.fetch(
            "SELECT message FROM alerting.outbox ORDER BY outbox_id"
        )
        told = [json.loads(row["message"]) for row in rows]
        assert {one["data"]["kind"] for one in told} <= {"ControlMismatch"}
        return [(one["subject"], one["data"]["state"]) for one in told]


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """Make a database with alerting's tables; a bank's catalogue; a complete copy."""
    for owner in ("aggregation", "alerting"):
        await _run_dbmate(owner, dbmate_url(database))
    settings = PostgresSettings(postgres_dsn=database)
    pool = await open_pool(settings, role="uptake_alerting", size_max=2)
    world = World(pool)
    await TotalsStore(pool).positions(1)
    await world.take_over(BANK)
    await world.log()
    yield world
    await pool.close()


async def test_claim_that_differs_is_raised_once_and_ends_when_the_count_agrees(
    world: World,
) -> None:
    """From the claim to the end, as everybody outside sees it."""
    await world.log(claimed=12, counted={"15961": 7, "16000": 3})
    assert await world.state() == "pending"
    await world.pass_time(59)
    assert await world.state() == "pending"
    await world.pass_time(1)
    assert await world.state() == "firing"
    only_on = False
    (alert,) = await world.pool.fetch(TOLD["read_alerts"], "bank", only_on)
    assert (alert["kind"], alert["target"]) == ("ControlMismatch", None)
    assert alert["summary_en"].endswith(": +2.")
    (delivery,) = await AlertStore(world.pool).claim_deliveries(
        LIMIT, resolved_for=HOUR, lease=HOUR, end_sought_for=HOUR
    )
    assert (delivery.agency, delivery.indicator) == ("bank", CASHLESS)
    assert (delivery.locality, delivery.level, delivery.province) == (
        "38",
        "province",
        "38",
    )
    assert await world.store.differing_by_agency() == {"bank": 1}

    await world.log(counted={"16000": 5})
    assert await world.state() == "kept"
    await world.pass_time(60)
    assert await world.state() == "resolved"
    assert await world.store.differing_by_agency() == {"bank": 0}
    states = ["pending", "firing", "kept", "resolved"]
    assert await world.told() == [("bank", state) for state in states]


async def test_corrected_or_voided_claim_ends_it_too(world: World) -> None:
    """A later claim of the day replaces; where all are voided nothing differs."""
    await world.log(claimed=12, counted={"15961": 7})
    assert await world.state() == "pending"
    await world.log(claimed=7)
    assert await world.state() == "quiet"
    await world.log(claimed=8)
    assert await world.state() == "pending"
    day = local_today() - DAY
    await world.log(claims=(Claim("bank", CASHLESS, day, None, 0, 99),))
    assert await world.state() == "quiet"


async def test_claim_of_a_lower_revision_turns_nothing_back(world: World) -> None:
    """Of equal revisions the later one counts: a rebuild mends what it had."""
    await world.log(claimed=7, counted={"15961": 7}, revision=50)
    await world.log(claimed=8, revision=49)
    assert await world.state() is None
    await world.log(claimed=8, revision=50)
    assert await world.state() == "pending"
    await world.log(claimed=7, revision=50)
    assert await world.state() == "quiet"


async def test_claim_of_today_waits_for_the_day_to_end(world: World) -> None:
    """Its events are still coming; midnight is reason enough to look."""
    await world.log(claimed=7, ago=0)
    assert await world.state() is None
    row = await world.pool.fetchrow("SELECT * FROM alerting.comparison")
    assert row is not None
    assert row["next_look_at"] <= SystemClock().now() + DAY + MINUTE
    await world.pool.execute("UPDATE alerting.claim SET day = day - 1")
    await world.pool.execute("UPDATE alerting.comparison SET next_look_at = now()")
    assert await world.state() == "pending"


async def test_nothing_is_claimed_of_anybody_while_we_are_behind(world: World) -> None:
    """Pending stands still, and begins again to count where it stood."""
    await world.log(claimed=12)
    assert await world.state() == "pending"
    await world.pass_time(59)
    ago = SystemClock().now() - HOUR
    await world.pool.execute("UPDATE alerting.watermark SET applied_until = $1", ago)
    await world.pass_time(10)
    assert await world.state() == "pending"
    await world.log()
    assert await world.state() == "pending"
    await world.pass_time(2)
    assert await world.state() == "firing"


async def test_alert_ends_when_the_agency_leaves_and_begins_when_it_comes(
    world: World,
) -> None:
    """Who may not send cannot mend; who is unknown is not spoken of."""
    await world.log(claimed=12)
    await world.log(claims=(Claim("other", CASHLESS, local_today() - DAY, 9, 0, 3),))
    assert await world.state() == "pending"
    await world.pass_time(60)
    assert await world.state() == "firing"
    other = replace(BANK, id="other", name="Other", sources=("/test/other",))
    await world.take_over(other)
    assert await world.state() == "resolved"
    assert await world.store.differing_by_agency() == {"other": 1}
    rows = await world.pool.fetch("SELECT agency, state FROM reporting.alert")
    assert {tuple(row) for row in rows} == {("bank", "resolved"), ("other", "pending")}
    await world.take_over(BANK, other)
    assert await world.state() == "pending"


async def test_agency_without_a_cadence_owes_no_reports_for_its_claims(
    world: World,
) -> None:
    """Its claims are compared; it is not among those that are listened to."""
    await world.log(claimed=12)
    assert await world.state() == "pending"
    assert not await world.pool.fetch("SELECT * FROM reporting.agency_silence")
    assert await AlertStore(world.pool).silent_by_agency() == {}


async def test_two_comparers_are_as_one(world: World) -> None:
    """What one looks at another passes over, and waits for nobody."""
    await world.log(claimed=12)
    async with world.pool.acquire() as other, other.transaction():
        await other.execute("SELECT * FROM alerting.comparison FOR UPDATE")
        assert await world.store.compare_due(LIMIT) == 0
    assert await world.store.compare_due(LIMIT) == 1


async def test_patience_is_a_setting(world: World) -> None:
    """An agency that is to be taken at its word at once."""
    world.store = ComparisonStore(world.pool, Policy(timedelta(), timedelta()))
    await world.log(claimed=12)
    assert await world.state() == "firing"
    await world.log(claimed=0)
    assert await world.state() == "resolved"


async def test_claim_of_a_closed_day_is_passed_over(world: World) -> None:
    """Nothing of it can be mended."""
    await world.log(claimed=12, ago=63)
    assert await world.state() is None
    await world.log(claimed=12, ago=62)
    assert await world.state() == "pending"
