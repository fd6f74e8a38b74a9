"""A batch is applied whole or not at all, wherever it is cut."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from tests.support.ledger_store import FedLedger, migrated_pool
from tests.support.log_records import TODAY, control, counted, reversal, stated

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

WRITTEN = (
    "ledger",
    "reversal",
    "statement",
    "control",
    "daily_total",
    "carried_level",
    "last_report",
    "outbox_change",
    "outbox_rejected",
    "rejection",
    "progress",
)
"""Every table that a batch writes."""
CUT = """
CREATE FUNCTION aggregation.cut() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'cut'; END $$;
CREATE TRIGGER cut BEFORE INSERT OR UPDATE OR DELETE ON aggregation.{table}
EXECUTE FUNCTION aggregation.cut();
"""
MEND = "DROP FUNCTION aggregation.cut CASCADE"
LONG_AGO = TODAY - timedelta(days=20)
FIRST = counted("first", 10)
BEFORE = [
    FIRST,
    *(counted(f"d{age}", localday=TODAY - timedelta(age)) for age in (15, 20)),
]
BATCH = [
    counted("second", 5, 2),
    counted("late", 7, localday=LONG_AGO),
    counted("first", 11),
    reversal("undo", FIRST),
    reversal("early", counted("not yet")),
    stated("level", 100),
    control("check", 12),
]
"""Writes every one of them: also a day that was carried, and a conflicting id."""


@pytest.fixture
async def ledger(database: str, tmp_path: Path) -> AsyncIterator[FedLedger]:
    """Make a ledger with some days, carried forward."""
    async with migrated_pool(database, tmp_path) as pool:
        ledger = await FedLedger(pool).start()
        await ledger.apply(BEFORE)
        assert await ledger.carry()
        yield ledger


async def contents(ledger: FedLedger) -> dict[str, list[str]]:
    """Return the rows of every table that a batch writes."""
    return {
        table: [
            str(row[0])
            for row in await ledger.pool.fetch(
                f"SELECT t::text FROM aggregation.{table} AS t ORDER BY 1"  # noqa: S608 -- a name of ours
            )
        ]
        for table in WRITTEN
    }


@pytest.mark.parametrize("table", WRITTEN)
async def test_batch_cut_in_its_midst_leaves_nothing(
    database: str, ledger: FedLedger, table: str
) -> None:
    """Cut where it writes this table; the same batch then counts once."""
    before = await contents(ledger)
    owner = await asyncpg.connect(database)
    try:
        await owner.execute(CUT.format(table=table))
        with pytest.raises(asyncpg.RaiseError, match="cut"):
            await ledger.apply(BATCH)
        assert await contents(ledger) == before
        await owner.execute(MEND)
        await ledger.apply(BATCH)
    finally:
        await owner.close()
    after = await contents(ledger)
    assert [name for name in WRITTEN if after[name] == before[name]] == []
    assert len(after["ledger"]) == len(BEFORE) + len(BATCH) - 1
