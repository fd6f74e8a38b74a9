"""What the views are asked for is no more than a key may be told of."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from services.board.core.questions import (
    EVERYTHING,
    AlertsQuestion,
    Reach,
    TargetsQuestion,
    TotalsQuestion,
)
from services.board.settings import BoardSettings
from services.board.store import BoardStore
from services.cli.migrate import _run_dbmate, dbmate_url
from shared.catalogue.model import LocalityKey
from tests.support.ledger_store import FedLedger, migrated_pool
from tests.support.log_records import LOGGED_AT, REFORM, TODAY, counted

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

OLD = date(2010, 1, 1)
COMMUNE = LocalityKey("15961", REFORM)
TARGETS = {
    "mine": ("accounts", COMMUNE),
    "other-indicator": ("cards", COMMUNE),
    "other-place": ("accounts", LocalityKey("01273", REFORM)),
    "other-land": ("accounts", LocalityKey("15961", OLD)),
    "removed": ("accounts", COMMUNE),
}
ACCOUNTS = Reach(("accounts",))
HERE = Reach(("accounts",), (COMMUNE,))
_TARGET = """
INSERT INTO alerting.target (
    target, indicator, locality, valid_from, locality_kind, province, indicator_name,
    indicator_name_vi, place_name, timezone, trajectory, start_date, start_value, due,
    goal, enter_bp, leave_bp, for_seconds, keep_seconds, illustrative, is_removed,
    status, actual, expected, status_since, evaluated_at
)
VALUES (
    $1, $2, $3, $4, 'commune', '38', 'a', 'a', 'a', 'Asia/Ho_Chi_Minh', 'linear',
    '2026-01-01', 0, '2026-12-31', 9, 9000, 9500, 0, 0, true, $1 = 'removed',
    'lagging', 1, 2, now(), now()
)
"""
_ALERT = """
INSERT INTO alerting.alert (
    fingerprint, target, kind, state, episode, state_since, summary_en, summary_vi,
    evaluated_at
)
VALUES ($1, $1, 'TargetLagging', 'firing', 1, now(), 'a', 'a', now())
"""


@pytest.fixture
async def store(database: str, tmp_path: Path) -> AsyncIterator[BoardStore]:
    """Count two indicators, set targets that fire; read them as the board does."""
    async with migrated_pool(database, tmp_path) as pool:
        ledger = await FedLedger(pool).start()
        await ledger.apply([counted("a", 3), counted("c", 5, indicator="cards")])
    await _run_dbmate("alerting", dbmate_url(database))
    connection = await asyncpg.connect(database)
    for name, (indicator, unit) in TARGETS.items():
        await connection.execute(_TARGET, name, indicator, *unit)
        await connection.execute(_ALERT, name)
    await connection.close()
    made = BoardStore(
        BoardSettings.model_validate({"catalogue": tmp_path, "postgres_dsn": database})
    )
    await made.open()
    yield made
    await made.close()


async def counts(
    store: BoardStore, reach: Reach, *, is_known_at: bool
) -> dict[str, int]:
    """Read totals of a commune by indicator."""
    told = await store.totals(
        TotalsQuestion(
            locality="15961",
            indicator=None,
            day=None,
            borders_on=TODAY,
            with_children=False,
            known_at=LOGGED_AT.replace(hour=4) if is_known_at else None,
            limit=10,
            after=None,
            reach=reach,
        )
    )
    return {row.indicator: int(row.count) for row in told.totals}


async def targets(store: BoardStore, reach: Reach) -> set[str]:
    """Read the ids of targets."""
    told = await store.targets(TargetsQuestion(None, None, None, None, 10, None, reach))
    return {row.target for row in told.targets}


async def alerts(store: BoardStore, reach: Reach) -> set[str | None]:
    """Read the targets of alerts."""
    told = await store.alerts(
        AlertsQuestion(
            target=None,
            state=None,
            kind=None,
            locality=None,
            with_past=True,
            limit=10,
            after=None,
            reach=reach,
        )
    )
    return {row.target for row in told.alerts}


async def test_reads_tell_what_may_be_told_and_no_more(store: BoardStore) -> None:
    """By indicator and by unit; a code that other land bore is another unit."""
    for is_known_at in (False, True):
        told = await counts(store, EVERYTHING, is_known_at=is_known_at)
        assert told == {"accounts": 3, "cards": 5}
        told = await counts(store, ACCOUNTS, is_known_at=is_known_at)
        assert told == {"accounts": 3}
        assert await counts(store, Reach(()), is_known_at=is_known_at) == {}
    assert await targets(store, EVERYTHING) == set(TARGETS) - {"removed"}
    assert await targets(store, ACCOUNTS) == {"mine", "other-place", "other-land"}
    assert await targets(store, HERE) == {"mine"}
    assert await alerts(store, EVERYTHING) == set(TARGETS)
    assert await alerts(store, ACCOUNTS) == set(TARGETS) - {"other-indicator"}
    assert await alerts(store, HERE) == {"mine"}
    for nothing in (Reach(()), Reach(("accounts",), ())):
        assert await targets(store, nothing) == set()
        assert await alerts(store, nothing) == set()
