"""Rows of the ledger, and what makes two of them the same event."""

from datetime import date, datetime
from typing import Final, NamedTuple

from services.aggregation.core.record import Entry, LogRecord

EventKey = tuple[str, str]
"""(source, id): unique over the whole ledger."""

KIND_OF_EFFECT: Final = {
    "count": b"c",
    "amount": b"c",
    "state": b"s",
    "control": b"k",
    "reverse": b"r",
}
REVERSAL: Final = b"r"


class LedgerRow(NamedTuple):
    """One row, in the order of the table's columns.

    `net_count` and `net_amount` are the signed effect of an event, the level of a
    statement or the claim of a control.
    """

    source: str
    id: str
    kind: bytes
    type: str
    partition: int
    log_offset: int
    logged_at: datetime
    occurred_at: datetime
    agency: str
    indicator: str | None
    locality: str | None
    valid_from: date | None
    day: date
    net_count: int | None
    net_amount: int | None
    reversed_source: str | None
    reversed_id: str | None
    reversed_occurred_at: datetime | None
    voided_by: int | None

    @property
    def key(self) -> EventKey:
        """Return (source, id)."""
        return (self.source, self.id)

    @property
    def content(self) -> tuple[object, ...]:
        """Return what must be equal for a repeat to be a duplicate (DESIGN 4).

        The type decides sign and kind, so the signed figures stand for the sent ones.
        """
        return (
            self.type,
            self.occurred_at,
            self.indicator,
            self.locality,
            self.day,
            self.net_count,
            self.net_amount,
            self.reversed_id,
            self.reversed_source,
        )


def map_entry_to_row(
    record: LogRecord, entry: Entry, voided_by: int | None
) -> LedgerRow:
    """Build the ledger row of a record.

    Args:
        record: Coordinates of the record.
        entry: Its content.
        voided_by: Offset of the reversal that came before, if one did.
    """
    data = entry.data
    effect = entry.effect
    count: int | None = data.count
    amount: int | None = data.amount
    if effect == "count":
        count, amount = entry.sign * data.count, entry.sign * data.amount
    elif effect == "amount":
        count, amount = 0, entry.sign * data.amount
    elif effect == "reverse":
        count = amount = None
    return LedgerRow(
        entry.source,
        entry.id,
        KIND_OF_EFFECT[effect],
        entry.type,
        record.partition,
        record.offset,
        record.logged_at,
        entry.time,
        entry.agency,
        entry.indicator,
        entry.locality,
        entry.validfrom,
        data.day or entry.localday,
        count,
        amount,
        data.source,
        data.id,
        data.time,
        voided_by,
    )
