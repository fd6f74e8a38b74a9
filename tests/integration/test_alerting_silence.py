"""Silence as alerting keeps it in Postgres: who is silent, what targets lack by it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import asyncpg
import pytest

from services.alerting.core.copied import (
    CaughtUp,
    DayTotal,
    Report,
    Stretch,
    TotalsBatch,
    Watermark,
)
from services.alerting.core.life_cycle import CREDIT_MAX
from services.alerting.store import (
    AlertStore,
    DefinitionStore,
    EvaluationStore,
    SilenceStore,
    TotalsStore,
)
from services.cli.migrate import _run_dbmate, dbmate_url
from services.cli.shipped import shipped_catalogue
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Agency, Catalogue, LocalityKey, Target
from shared.clock import SystemClock
from shared.postgres.pool import open_pool
from shared.postgres.queries import load_queries
from shared.settings import PostgresSettings

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
CASHLESS: Final = "cashless_accounts"
SINCE: Final = date(2025, 7, 1)
LEAF: Final = LocalityKey("15961", SINCE)
LIMIT: Final = 100
TOLD: Final = load_queries("services.cli", "sql/targets.sql")


def agency(name: str, *, cadence: int | None = 24, required: bool = False) -> Agency:
    """Describe an agency that can send cashless accounts of Thanh Hóa."""
    return Agency(
        id=name,
        name=f"Office {name}",
        sources=(f"/test/{name}",),
        indicators=frozenset({CASHLESS}),
        locality="38",
        kafka=True,
        cadence_hours=cadence,
        required=required,
    )


def target(name: str, place: LocalityKey) -> Target:
    """Describe a target that is far behind its path."""
    today = SystemClock().now().date()
    return Target(
        id=name,
        indicator=CASHLESS,
        locality=place,
        start_date=today - 30 * DAY,
        start_value=0,
        due=today + 30 * DAY,
        goal_value=1_000_000,
        illustrative=True,
    )


class World:
    """A database of alerting's, and what happens in it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self._offset = 0
        shipped = load_catalogue(shipped_catalogue())
        self._catalogue = replace(
            shipped,
            agencies={},
            targets={
                one.id: one
                for one in (
                    target("province", LocalityKey("38", SINCE)),
                    target("nation", LocalityKey("VN", date(1976, 7, 2))),
                    target("elsewhere", LocalityKey("22", SINCE)),
                )
            },
        )

    async def begin(self, *agencies: Agency) -> None:
        """Take a catalogue with these agencies over; the copy is complete."""
        await TotalsStore(self.pool).positions(1)
        await self.take_over(*agencies)
        await self.log()
        await self.listen()

    async def take_over(self, *agencies: Agency) -> Catalogue:
        """Take a catalogue over that has these agencies and no others."""
        catalogue = replace(self._catalogue, agencies={one.id: one for one in agencies})
        await DefinitionStore(self.pool).take_over(catalogue)
        return catalogue

    async def log(
        self, *, days: tuple[DayTotal, ...] = (), reports: tuple[Report, ...] = ()
    ) -> None:
        """Copy a batch whose watermark is now."""
        now = SystemClock().now()
        revision = self._offset + 1
        totals = TotalsStore(self.pool)
        await totals.apply(
            TotalsBatch(
                {0: Stretch(self._offset, revision, bytes(32))},
                days=list(days),
                reports=list(reports),
                watermarks=[Watermark(0, now, revision)],
            )
        )
        self._offset = revision
        await totals.note_caught_up({0: CaughtUp(revision, timedelta())})

    async def report(self, name: str, count: int = 0) -> None:
        """Have an agency report now, with so many accounts of three days."""
        now, revision = SystemClock().now(), self._offset + 1
        days = tuple(
            DayTotal(
                CASHLESS, name, *LEAF, now.date() - ago * DAY, count, 0, 0, revision
            )
            for ago in (1, 2, 3)
            if count
        )
        await self.log(days=days, reports=(Report(name, CASHLESS, now, revision),))

    async def pass_time(self, span: timedelta) -> None:
        """Have the clock listen for so long; nobody reported meanwhile."""
        await self.pool.execute(
            "UPDATE alerting.listening SET reading = reading + $1::interval", span
        )
        await self.log()
        await self.listen()

    async def listen(self) -> None:
        """Listen once, and evaluate what that changed."""
        silences = SilenceStore(self.pool)
        await silences.listen(LIMIT)
        await silences.work_out_gaps()
        await self.pool.execute("UPDATE alerting.target SET evaluated_at = NULL")
        await self.pool.execute(
            "UPDATE alerting.target SET next_evaluation_at = '-infinity'"
        )
        await EvaluationStore(self.pool, HOUR).evaluate_due(LIMIT)

    async def status(self, name: str) -> tuple[str, str | None]:
        """Return a target's status and reason."""
        row = await self.pool.fetchrow(
            "SELECT status, reason FROM reporting.target_status WHERE target = $1", name
        )
        assert row is not None, f"no target {name}"
        return row["status"], row["reason"]

    async def voices(self) -> dict[str, str]:
        """Return who is heard from."""
        rows = await self.pool.fetch(
            "SELECT agency, voice FROM reporting.agency_silence"
        )
        return {row["agency"]: row["voice"] for row in rows}

    async def alerts(self) -> dict[str, str]:
        """Return the states of the alerts about agencies."""
        rows = await self.pool.fetch(
            "SELECT agency, state FROM reporting.alert WHERE kind = 'AgencySilent'"
        )
        return {row["agency"]: row["state"] for row in rows}

    async def told(self) -> list[tuple[str, str]]:
        """Return what waits to be told of agencies, in its order."""
        rows = await self.pool.fetch(
            "SELECT message FROM alerting.outbox ORDER BY outbox_id"
        )
        told = [json.loads(row["message"]) for row in rows]
        return [
            (one["subject"], one["data"]["state"])
            for one in told
            if one["data"]["kind"] == "AgencySilent"
        ]


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """Make a database with alerting's tables and reach it as alerting does."""
    for owner in ("aggregation", "alerting"):
        await _run_dbmate(owner, dbmate_url(database))
    settings = PostgresSettings(postgres_dsn=database)
    pool = await open_pool(settings, role="uptake_alerting", size_max=2)
    yield World(pool)
    await pool.close()


async def test_silent_agency_makes_what_it_feeds_unknown_until_it_has_settled(
    world: World,
) -> None:
    """Alert and targets, from the last report to an hour after the next one."""
    await world.begin(agency("big"), agency("small", cadence=None))
    await world.report("big", 900)
    await world.report("small", 100)
    await world.listen()
    assert await world.status("province") == ("lagging", None)

    await world.pass_time(DAY - SECOND)
    assert await world.voices() == {"big": "heard"}
    await world.pass_time(2 * SECOND)
    assert await world.voices() == {"big": "silent"}
    assert await world.alerts() == {"big": "firing"}
    assert await world.status("province") == ("unknown", "silent")
    assert await world.status("nation") == ("unknown", "silent")
    assert (await world.status("elsewhere"))[1] is None
    shares = await world.pool.fetch("SELECT * FROM reporting.target_silence")
    assert {(row["target"], row["agency"], row["share_bp"]) for row in shares} == {
        ("province", "big", 9_000),
        ("nation", "big", 9_000),
    }
    (silence,) = await world.pool.fetch(TOLD["read_silences"], "province")
    assert (silence["agency"], silence["share_bp"]) == ("big", 9_000)
    only_on = False
    (alert,) = await world.pool.fetch(TOLD["read_alerts"], "big", only_on)
    assert (alert["agency"], alert["target"]) == ("big", None)
    assert await AlertStore(world.pool).silent_by_agency() == {"big": 1}
    (delivery,) = [
        one
        for one in await AlertStore(world.pool).claim_deliveries(
            LIMIT, resolved_for=HOUR, lease=HOUR, end_sought_for=HOUR
        )
        if one.agency
    ]
    assert (delivery.agency, delivery.indicator, delivery.locality) == (
        "big",
        CASHLESS,
        "38",
    )
    assert (delivery.target, delivery.level, delivery.province) == (
        "",
        "province",
        "38",
    )

    await world.report("big", 901)
    await world.listen()
    assert await world.voices() == {"big": "returning"}
    assert await world.alerts() == {"big": "kept"}
    assert await world.status("province") == ("unknown", "silent")
    await world.pass_time(HOUR)
    assert await world.voices() == {"big": "heard"}
    assert await world.status("province") == ("lagging", None)
    assert await world.told() == [("big", "firing"), ("big", "kept")]


async def test_small_share_of_silence_is_no_reason(world: World) -> None:
    """Under five percent a target is judged; the agency is silent all the same."""
    await world.begin(agency("big", cadence=None), agency("small"))
    await world.report("big", 9_600)
    await world.report("small", 400)
    await world.listen()
    await world.pass_time(DAY + SECOND)
    assert await world.alerts() == {"small": "firing"}
    assert await world.status("province") == ("lagging", None)
    await world.report("big", 7_600)
    await world.pool.execute("UPDATE alerting.listening SET gaps_at = '-infinity'")
    await world.listen()
    assert await world.status("province") == ("unknown", "silent")


async def test_required_agency_that_never_reported_makes_targets_unknown(
    world: World,
) -> None:
    """At once, and everywhere it may feed; silent it is called after its cadence."""
    await world.begin(agency("late", required=True), agency("big", cadence=None))
    await world.report("big", 900)
    await world.listen()
    assert await world.status("province") == ("unknown", "never_reported")
    assert await world.status("nation") == ("unknown", "never_reported")
    assert (await world.status("elsewhere"))[1] is None
    assert await world.alerts() == {}
    await world.pass_time(DAY + SECOND)
    assert await world.alerts() == {"late": "firing"}
    assert await world.status("province") == ("unknown", "silent")
    await world.report("late", 1)
    await world.listen()
    await world.pass_time(HOUR)
    assert await world.status("province") == ("lagging", None)


async def test_nobody_is_silent_while_we_are_behind(world: World) -> None:
    """Nor after our return: the time did not count."""
    await world.begin(agency("big"))
    await world.report("big", 900)
    await world.listen()
    ago = SystemClock().now() - 2 * DAY
    await world.pool.execute("UPDATE alerting.watermark SET applied_until = $1", ago)
    await world.pool.execute("UPDATE alerting.last_report SET reported_at = $1", ago)
    await world.pool.execute(
        "UPDATE alerting.duty SET heard_at = $1, next_reading = '-1 day'", ago
    )
    await world.pool.execute("UPDATE alerting.listening SET seen_at = $1", ago)
    await world.listen()
    assert await world.status("province") == ("unknown", "platform")
    assert await world.alerts() == {}
    await world.log()
    await world.listen()
    assert await world.status("province") == ("lagging", None)
    assert await world.voices() == {"big": "heard"}


async def test_clock_stands_still_while_agencies_cannot_send(world: World) -> None:
    """A closed door makes nobody silent; what comes by a topic is heard still."""
    await world.begin(agency("big", cadence=1))
    await world.report("big", 900)
    await world.listen()
    silences = SilenceStore(world.pool)

    async def reading() -> timedelta:
        found = await world.pool.fetchval("SELECT reading FROM alerting.listening")
        assert isinstance(found, timedelta)
        return found

    before = await reading()
    ago = SystemClock().now() - 2 * HOUR
    await world.pool.execute("UPDATE alerting.listening SET seen_at = $1", ago)
    await world.log()
    await silences.listen(LIMIT, can_send=False)
    assert await reading() == before
    await world.report("big", 1)
    await silences.listen(LIMIT, can_send=False)
    assert await reading() == before
    # The door is open again: of the time before, five minutes count.
    await silences.listen(LIMIT)
    assert await reading() == before + CREDIT_MAX
    assert await world.voices() == {"big": "heard"}
    assert await world.alerts() == {}


async def test_silence_survives_a_change_of_catalogue_and_ends_with_the_duty(
    world: World,
) -> None:
    """Taking over again keeps what was heard; an agency that left is not told of."""
    await world.begin(agency("big"), agency("gone"))
    await world.report("big", 900)
    await world.listen()
    await world.pass_time(DAY + SECOND)
    assert await world.alerts() == {"big": "firing", "gone": "firing"}
    await world.take_over(agency("big"), agency("new"))
    await world.listen()
    assert await world.alerts() == {"big": "firing", "gone": "resolved"}
    assert await world.voices() == {"big": "silent", "new": "heard"}
    assert await world.status("province") == ("unknown", "silent")
    await world.take_over(
        agency("big", cadence=72), replace(agency("new"), kafka=False)
    )
    await world.listen()
    assert await world.voices() == {"big": "returning"}


async def test_two_listeners_are_as_one(world: World) -> None:
    """While one listens, another finds nothing to do and waits for nobody."""
    await world.begin(agency("big"))
    async with world.pool.acquire() as other, other.transaction():
        await other.execute("SELECT * FROM alerting.listening FOR UPDATE")
        assert await SilenceStore(world.pool).listen(LIMIT) == 0
