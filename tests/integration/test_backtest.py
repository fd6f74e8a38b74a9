"""`uptake targets backtest`: the ledger's history, against the truth that was written.

The scripted year is logged as agencies would have sent it; what the command tells of it
is what the truth and the replay by the core alone tell.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import pytest_asyncio
import yaml

from services.aggregation.core.record import LogRecord
from services.aggregation.store.keys import ledger_key
from services.aggregation.store.ledger import Slice
from services.cli.embedded.postgres import EmbeddedPostgres
from tests.support.ledger_store import HASH, FedLedger, migrated_pool
from tests.support.log_records import Sent, SentData
from tests.support.scripted_year import (
    DUE,
    START,
    START_VALUE,
    TIMEZONE,
    WAY,
    Province,
    date_of,
    scripted_year,
)
from tests.support.year_truth import AT_RISK, expected_alerts
from tests.unit.alerting.replayed_year import midnight, replay

LAST = 130
"""The day, by number, with which the replay ends."""
CHARACTERS = {"quiet weekends", "recovery", "relapse", "flat start"}
Key = tuple[int, str, str, str, int]
"""Day by number, target, kind, state, episode."""
REFORM = date(2025, 7, 1)
pytestmark = [
    pytest.mark.embedded,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
]


@dataclass(frozen=True, slots=True)
class Told:
    """What the command wrote and how it ended."""

    status: int
    out: str
    errors: str


@dataclass(frozen=True, slots=True)
class House:
    """A database with history, and a catalogue beside it."""

    dsn: str
    folder: Path

    async def backtest(self, *words: str) -> Told:
        """Run the command."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.cli", "targets", "backtest", *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "UPTAKE_POSTGRES_DSN": self.dsn,
                "UPTAKE_CATALOGUE": str(self.folder / "catalogue"),
            },
            cwd=self.folder,
        )
        out, errors = await process.communicate()
        return Told(process.returncode or 0, out.decode(), errors.decode())


def provinces() -> list[Province]:
    """Choose those of whom something is told before the last day."""
    late = [each for each in scripted_year() if each.character == "silent, then late"]
    some = [each for each in scripted_year() if each.character in CHARACTERS]
    return [*some, late[0]]


def target(province: Province) -> dict[str, Any]:
    """Write a province's target as a file has it."""
    return {
        "id": province.target,
        "indicator": "cashless_accounts",
        "locality": province.code,
        "start": {"date": START, "value": START_VALUE},
        "due": DUE,
        "goal": {"value": START_VALUE + WAY},
        "illustrative": True,
    }


def logged(some: Iterable[Province]) -> list[tuple[datetime, Sent]]:
    """Write down what was sent of provinces, in the order of the log."""
    sent = []
    for province in some:
        leaf = {"locality": f"{province.code}-unallocated", "validfrom": REFORM}
        eve = START - timedelta(days=1)
        opening = Sent(
            f"{province.code}-opening",
            SentData(count=START_VALUE, day=eve),
            type="stated",
            effect="state",
            sign=0,
            time=midnight(-1).astimezone(UTC),
            indicator="cashless_accounts",
            localday=eve,
            **leaf,  # type: ignore[arg-type] # each value fits its own name
        )
        sent.append((midnight(0) - timedelta(hours=4), opening))
        for number, report in enumerate(province.reports):
            event = Sent(
                f"{province.code}-{number}",
                SentData(count=abs(report.count)),
                type="opened" if report.count > 0 else "closed",
                sign=1 if report.count > 0 else -1,
                time=midnight(report.day).astimezone(UTC),
                indicator="cashless_accounts",
                localday=date_of(report.day),
                **leaf,  # type: ignore[arg-type] # as above
            )
            at = midnight(report.logged_on) + timedelta(hours=20)
            sent.append((at.astimezone(UTC), event))
    return sorted(sent, key=lambda each: each[0])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Log the year once for all tests of this module."""
    name = "backtest"
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    dsn = postgres.dsn.rpartition("/")[0] + f"/{name}"
    folder = tmp_path_factory.mktemp("backtest")
    async with migrated_pool(dsn, folder) as pool:
        ledger = await FedLedger(pool).start()
        records = [
            LogRecord(0, offset, at, sent, ledger_key(sent.source, sent.id))
            for offset, (at, sent) in enumerate(logged(provinces()))
        ]
        end = len(records)
        await ledger.store.apply(
            [Slice(0, 0, end, HASH, records, lambda at: (None, b"%d" % at))]
        )
    file = folder / "trial.yaml"
    file.write_text(yaml.safe_dump([target(each) for each in provinces()]))
    yield House(dsn, folder)


def by_midnight(found: dict[str, Any]) -> set[Key]:
    """Write what the command told as the truth writes it, but for `kept`."""
    told = set()
    for alert in found["alerts"]:
        ended = "resolved" if alert["firing_since"] else "quiet"
        states = {
            "pending": alert["pending_since"],
            "firing": alert["firing_since"],
            ended: alert["ended_at"],
        }
        for state, at in states.items():
            if at is not None:
                local = datetime.fromisoformat(at).astimezone(ZoneInfo(TIMEZONE))
                day = (local.date() - START).days
                assert local == midnight(day), "all is told at midnights"
                key = (alert["target"], alert["kind"], state, alert["episode"])
                told.add((day, *key))
    return told


async def test_the_command_tells_what_the_truth_and_the_core_tell(house: House) -> None:
    """To the day, for five characters, from what was known and not what is known."""
    last = date_of(LAST).isoformat()
    ran = await house.backtest("trial.yaml", "--until", last, "--json")
    assert ran.status == 0, ran.errors
    found = by_midnight(json.loads(ran.out))
    truth: set[Key] = set()
    replayed: set[Key] = set()
    for each in provinces():
        truth.update(told[:5] for told in expected_alerts(each, outages=()))
        turns = replay(each, with_forecast=True, outages=()).turns
        replayed.update(((turn.at.date() - START).days, *_key(turn)) for turn in turns)
    assert _until(found, without=AT_RISK) == _until(truth, without=AT_RISK)
    assert _until(found) == _until(replayed)


def _key(turn: Any) -> tuple[str, str, str, int]:  # noqa: ANN401 -- the core's turn
    return (turn.target, turn.kind.value, turn.state.value, turn.episode)


def _until(told: Iterable[Key], *, without: str = "") -> set[Key]:
    return {
        each
        for each in told
        if each[0] <= LAST and each[3] != "kept" and each[2] != without
    }


async def test_the_table_fits_a_terminal_and_sums_up(house: House) -> None:
    """In 80 columns; by target, then by kind."""
    ran = await house.backtest(
        "trial.yaml", "--until", date_of(20).isoformat(), "--all"
    )
    assert ran.status == 0, ran.errors
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"{len(provinces())} targets from 2025-08-01 00:00")
    assert any("TargetLagging" in line and "still on" in line for line in lines)
    assert lines[-1].startswith("nothing raised about")


async def test_what_cannot_be_replayed_is_a_line(house: House) -> None:
    """Days before the ledger, days to come, a file that is wrong."""
    (house.folder / "wrong.yaml").write_text("- id: x\n")
    cases = {
        ("trial.yaml", "--from", "2020-01-01"): "and later days only",
        ("trial.yaml", "--until", "2999-01-01"): "is the last complete day",
        ("wrong.yaml",): "wrong.yaml",
    }
    for words, reason in cases.items():
        ran = await house.backtest(*words)
        assert (ran.status, ran.out) == (1, ""), words
        assert reason in ran.errors
        assert ran.errors.startswith("uptake: ")
        assert "Traceback" not in ran.errors
