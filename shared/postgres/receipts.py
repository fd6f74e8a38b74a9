"""Receipts read from the public views: what became of each (source, id)."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from shared.events.receipts_v1 import (
    AskedEventV1,
    EventReceiptV1,
    ReceiptState,
    ReceiptsV1,
    RejectionV1,
)
from shared.ledger_key import ledger_key
from shared.postgres.queries import load_queries

_SQL: Final = load_queries("shared.postgres", "receipts.sql")
_REVERSAL: Final = "r"


async def read_receipts(
    connection: "PoolConnectionProxy[asyncpg.Record]",
    asked: Sequence[AskedEventV1],
    *,
    agency: str | None,
) -> ReceiptsV1:
    """Tell what became of events, all as of one moment.

    Args:
        connection: May read schema `reporting`.
        asked: At least one; the caller bounds their number.
        agency: Only what this one sent is told; None tells of every agency.

    Returns:
        A receipt for each, in the same order.
    """
    rows = await connection.fetch(
        _SQL["read_receipts"],
        [ledger_key(each.source, each.id) for each in asked],
        [each.source for each in asked],
        [each.id for each in asked],
        agency,
    )
    receipts = [
        make_receipt(row, each.time) for row, each in zip(rows, asked, strict=True)
    ]
    return ReceiptsV1(
        complete_up_to=rows[0]["complete_up_to"],
        kept_since=rows[0]["kept_since"],
        states=dict(Counter(receipt.state for receipt in receipts)),
        receipts=receipts,
    )


def make_receipt(row: asyncpg.Record, time: datetime | None) -> EventReceiptV1:
    """Make the receipt of an event from what the views know of it.

    Args:
        row: Of query `read_receipts`.
        time: The event's own, where the asker knows it.
    """
    rejection = _rejection(row)
    is_in_ledger = row["kind"] is not None
    state = _state(row, time)
    return EventReceiptV1(
        source=row["source"],
        id=row["id"],
        state=state,
        partition=row["partition"] if is_in_ledger else row["rejected_partition"],
        offset=row["log_offset"] if is_in_ledger else row["rejected_offset"],
        logged_at=row["logged_at"] if is_in_ledger else row["rejected_at"],
        type=row["type"],
        indicator=row["indicator"],
        locality=row["locality"],
        valid_from=row["valid_from"],
        day=row["day"],
        count=row["count"],
        amount=row["amount"],
        voided_by=row["voided_by"],
        code=row["code"] if state is ReceiptState.REJECTED else None,
        detail=row["detail"] if state is ReceiptState.REJECTED else None,
        conflict=rejection if is_in_ledger and _is_later(row) else None,
    )


def _state(row: asyncpg.Record, time: datetime | None) -> ReceiptState:
    if row["kind"] == _REVERSAL:
        return ReceiptState.REVERSED
    if row["kind"] is not None:
        is_void = row["voided_by"] is not None
        return ReceiptState.VOIDED if is_void else ReceiptState.COUNTED
    if row["code"] is not None:
        return ReceiptState.REJECTED
    kept_since = row["kept_since"]
    if time is not None and kept_since is not None and time < kept_since:
        return ReceiptState.FORGOTTEN
    return ReceiptState.NOT_SEEN


def _is_later(row: asyncpg.Record) -> bool:
    """Say whether the rejection came after the row; both are of one partition."""
    offset: int | None = row["rejected_offset"]
    return offset is not None and offset > row["log_offset"]


def _rejection(row: asyncpg.Record) -> RejectionV1 | None:
    if row["code"] is None:
        return None
    return RejectionV1(
        partition=row["rejected_partition"],
        offset=row["rejected_offset"],
        logged_at=row["rejected_at"],
        code=row["code"],
        detail=row["detail"],
    )
