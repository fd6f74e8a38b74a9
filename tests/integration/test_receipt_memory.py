"""Receipts of what the ledger forgets, and rejections that are kept no longer."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import asyncpg
import pytest

from services.aggregation.core.record import LogRecord
from services.aggregation.store.ledger import LedgerStore, Slice
from shared.events.receipts_v1 import AskedEventV1, EventReceiptV1, ReceiptState
from shared.ledger_key import ledger_key
from shared.postgres.receipts import read_receipts
from tests.support.forgetting import KEPT_FOR, Ledger, migrated_pool
from tests.support.log_records import NINE, Sent, counted, reversal

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]
DAY = timedelta(days=1)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Make the service's tables; connect as the service does."""
    made = await migrated_pool(database)
    yield made
    made.terminate()


class Log:
    """One partition's records, each logged a minute after it happened at the latest."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._store = LedgerStore(pool, KEPT_FOR)
        self._pool = pool
        self._offset = 0

    async def add(self, logged_at: datetime, *events: Sent) -> None:
        """Apply events, logged at an instant."""
        await self._store.start_partitions([0])
        records = [
            LogRecord(0, offset, logged_at, each, ledger_key(each.source, each.id))
            for offset, each in enumerate(events, start=self._offset)
        ]
        first, self._offset = self._offset, self._offset + len(events)
        await self._store.apply(
            [
                Slice(
                    0,
                    first,
                    self._offset,
                    first.to_bytes(32),
                    records,
                    lambda _: (b"bank", b"{}"),
                )
            ]
        )

    async def ask(
        self, *events: Sent, knows_time: bool = True, agency: str | None = "bank"
    ) -> Sequence[EventReceiptV1]:
        """Ask for receipts as a reader of the views does."""
        asked = [
            AskedEventV1(
                source=each.source, id=each.id, time=each.time if knows_time else None
            )
            for each in events
        ]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL ROLE uptake_reader")
            told = await read_receipts(connection, asked, agency=agency)
        return told.receipts


async def states(log: Log, *events: Sent, knows_time: bool = True) -> list[str]:
    """Ask and return the states."""
    return [each.state.value for each in await log.ask(*events, knows_time=knows_time)]


async def test_what_the_ledger_forgot_is_not_called_never_seen(
    pool: asyncpg.Pool,
) -> None:
    """Where its time is given; without, `kept_since` says how far answers reach."""
    log = Log(pool)
    old, never = counted("old", 3), counted("never", time=NINE)
    voided = counted("voided", 5)
    await log.add(NINE, old, voided, reversal("undo", voided))
    assert await states(log, old, voided, never) == ["counted", "voided", "not_seen"]
    late = NINE + 2 * KEPT_FOR
    fresh = counted("fresh", time=late)
    await log.add(late, fresh)
    # Forgotten, and still there until it is dropped: it was counted, and that is told.
    assert await states(log, old, fresh) == ["counted", "counted"]
    assert await Ledger(pool).drop() == 3
    asked = (old, voided, never, fresh)
    assert await states(log, *asked) == [
        *("forgotten", "forgotten", "forgotten", "counted"),
    ]
    assert await states(log, *asked, knows_time=False) == [
        *("not_seen", "not_seen", "not_seen", "counted"),
    ]
    # Numbers that begin again each year: the id is borne anew.
    again = counted("old", 4, time=late)
    await log.add(late, again)
    (receipt,) = await log.ask(again)
    assert (receipt.state, receipt.count, receipt.offset) == (
        ReceiptState.COUNTED,
        4,
        4,
    )


async def test_the_latest_rejection_is_told_and_only_to_its_agency(
    pool: asyncpg.Pool,
) -> None:
    """One row for each id, however often it is sent; another agency's is its own."""
    log = Log(pool)
    first = counted("e", 1)
    await log.add(NINE, first)
    for number in range(5):
        await log.add(NINE + timedelta(minutes=number), counted("e", 2 + number))
    stranger = counted("e", 1, agency="stranger")
    missing = counted("gone", 1, agency="stranger")
    await log.add(NINE + timedelta(minutes=9), stranger, missing)
    (receipt,) = await log.ask(first)
    assert receipt.state is ReceiptState.COUNTED
    assert receipt.conflict is not None
    assert (receipt.conflict.code, receipt.conflict.offset) == (
        "conflicting_duplicate",
        5,
    )
    (theirs,) = await log.ask(missing, agency="stranger")
    assert (theirs.state, theirs.code, theirs.offset) == (
        ReceiptState.REJECTED,
        "source_moved",
        7,
    )
    assert await states(log, missing) == ["not_seen"]
    (theirs,) = await log.ask(first, agency="stranger")
    assert (theirs.state, theirs.code) == (ReceiptState.REJECTED, "source_moved")
    (all_told,) = await log.ask(missing, agency=None)
    assert all_told.code == "source_moved"
    rows = await pool.fetch("SELECT agency, id FROM reporting.rejection ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [
        ("bank", "e"),
        ("stranger", "e"),
        ("stranger", "gone"),
    ]


async def test_rejections_are_kept_no_longer_than_the_ledger(
    pool: asyncpg.Pool,
) -> None:
    """As new ones come old ones go, so their number has a bound."""
    log = Log(pool)
    await log.add(NINE, *(counted(f"e-{n}", 1) for n in range(9)))
    await log.add(NINE, *(counted(f"e-{n}", 2) for n in range(9)))
    count = "SELECT count(*) FROM reporting.rejection"
    assert await pool.fetchval(count) == 9
    late = NINE + 2 * KEPT_FOR
    await log.add(late, *(counted(f"late-{n}", 1, time=late) for n in range(9)))
    await log.add(late, *(counted(f"late-{n}", 2, time=late) for n in range(9)))
    assert await pool.fetchval(count) == 9
    oldest = await pool.fetchval("SELECT min(logged_at) FROM reporting.rejection")
    assert oldest == late


async def test_of_one_batch_the_last_rejection_is_told(pool: asyncpg.Pool) -> None:
    """An id that is rejected again and again in it has one row, and one answer."""
    log = Log(pool)
    first = counted("e", 1)
    await log.add(NINE, first, *(counted("e", 2 + number) for number in range(5)))
    (receipt,) = await log.ask(first)
    assert receipt.conflict is not None
    assert receipt.conflict.offset == 5
    assert await pool.fetchval("SELECT count(*) FROM reporting.rejection") == 1


async def test_what_cannot_be_read_has_no_receipt(pool: asyncpg.Pool) -> None:
    """It is published, and noted under no id; others of its batch are noted."""
    store = LedgerStore(pool, KEPT_FOR)
    await store.start_partitions([0])
    entries = (counted("e", 1), None, counted("e", 2))
    records = [
        LogRecord(
            0, offset, NINE, each, None if each is None else ledger_key("/bank", "e")
        )
        for offset, each in enumerate(entries)
    ]
    part = Slice(0, 0, 3, bytes(32), records, lambda offset: (None, b"\xff" * offset))
    await store.apply([part])
    rows = await pool.fetch("SELECT log_offset, code FROM reporting.rejection")
    assert [tuple(row) for row in rows] == [(2, "conflicting_duplicate")]
    rows = await pool.fetch(
        "SELECT log_offset, code, record_value FROM aggregation.outbox_rejected "
        "ORDER BY log_offset"
    )
    assert [tuple(row) for row in rows] == [
        (1, "unreadable", b"\xff"),
        (2, "conflicting_duplicate", b"\xff\xff"),
    ]
