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
ABOUT = {
    "own-silence": ("bank", "accounts", "AgencySilent", "15961"),
    "own-claims": ("bank", "accounts", "ControlMismatch", "15961"),
    "own-cards": ("bank", "cards", "AgencySilent", "15961"),
    "province": ("head", "accounts", "AgencySilent", "38"),
    "neighbour": ("shop", "accounts", "ControlMismatch", "15961"),
}
"""Alerts about agencies: whom, of what, and where the agency's subtree begins."""
ACCOUNTS = Reach(("accounts",))
HERE = Reach(("accounts",), (COMMUNE,), "bank")
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
_DUTY = """
INSERT INTO alerting.duty (
    agency, indicator, agency_name, indicator_name, indicator_name_vi, locality,
    locality_kind, province, timezone, is_required, mark, noted, turned, voice,
    voice_since
)
VALUES (
    $1, $2, 'a', 'a', 'a', $3, 'commune', '38', 'Asia/Ho_Chi_Minh', false, '0', '0',
    '0', 'silent', now()
)
ON CONFLICT DO NOTHING
"""
_ABOUT = """
INSERT INTO alerting.alert (
    fingerprint, agency, indicator, kind, state, episode, state_since, summary_en,
    summary_vi, evaluated_at
)
VALUES ($1, $2, $3, $4, 'firing', 1, now(), 'a', 'a', now())
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
    for name, (agency, indicator, kind, top) in ABOUT.items():
        await connection.execute(_DUTY, agency, indicator, top)
        await connection.execute(_ABOUT, name, agency, indicator, kind)
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


async def alerts(store: BoardStore, reach: Reach) -> set[str]:
    """Read the fingerprints of alerts; those about targets have their ids here."""
    told = await store.alerts(
        AlertsQuestion(
            target=None,
            state=None,
            kind=None,
            locality=None,
            with_past=True,
            limit=20,
            after=None,
            reach=reach,
        )
    )
    return {row.fingerprint for row in told.alerts}


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
    everything = {*TARGETS, *ABOUT}
    assert await alerts(store, EVERYTHING) == everything
    others = {"other-indicator", "own-cards"}
    assert await alerts(store, ACCOUNTS) == everything - others
    for nothing in (Reach(()), Reach(("accounts",), ())):
        assert await targets(store, nothing) == set()
        assert await alerts(store, nothing) == set()


async def test_alerts_about_agencies_are_told_to_that_agency(store: BoardStore) -> None:
    """Of its key's indicators, and where the key covers all that they sum up."""
    own = {"own-silence", "own-claims"}
    assert await alerts(store, HERE) == {"mine", *own}
    of_accounts = set(TARGETS) - {"other-indicator"}
    for agency, about in (("bank", own), ("head", {"province"}), ("none", set())):
        nationwide = Reach(("accounts",), None, agency)
        assert await alerts(store, nationwide) == {*of_accounts, *about}
    cards = Reach(("cards",), (COMMUNE,), "bank")
    assert await alerts(store, cards) == {"other-indicator", "own-cards"}
    top = (LocalityKey("38", REFORM), COMMUNE)
    assert await alerts(store, Reach(("accounts",), top, "head")) == {
        "mine",
        "province",
    }
    # A key of the same agency that is bound to one of the communes.
    below = Reach(("accounts",), (COMMUNE,), "head")
    assert await alerts(store, below) == {"mine"}
