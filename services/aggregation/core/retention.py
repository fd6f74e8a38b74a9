"""How long the ledger remembers, and what may then be forgotten (ADR 0015).

Each partition has an instant, `kept_since`: what happened before it is judged no more.
It follows the log's own time at a fixed distance and never goes back, and it stands in
the progress row, so it changes with what was judged under it or not at all. A row may
go once it lies before that instant: no copy of its event can be counted after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.aggregation.core.ledger import LedgerRow
from services.aggregation.core.record import Entry, LogRecord
from shared.errors import FatalError

MARGIN_DAYS: Final = 1
"""The door judges whole local days and its own clock; the log has the broker's."""


def keeping_time(ledger_days: int, window_days: int) -> timedelta:
    """Return for how long the ledger is kept.

    Args:
        ledger_days: The setting.
        window_days: How many local days the catalogue keeps open.

    Raises:
        FatalError: What the door admits would be refused here.
    """
    least = window_days + MARGIN_DAYS
    if ledger_days < least:
        raise FatalError(
            f"UPTAKE_LEDGER_DAYS is {ledger_days}, but the catalogue takes events for "
            f"{window_days} days (window_days), so the ledger must be kept for at "
            f"least {least}; nothing was dropped"
        )
    return timedelta(days=ledger_days)


def is_forgotten(row: LedgerRow, kept_since: datetime) -> bool:
    """Tell whether a row counts as gone, be it dropped already or not.

    So no decision depends on when rows are dropped. A reversal is remembered for as
    long as its original may come.

    Args:
        row: Of the ledger.
        kept_since: Of its partition, as the record that asks is judged.
    """
    reversed_at = row.reversed_occurred_at
    return (
        row.logged_at < kept_since
        and row.occurred_at < kept_since
        and (reversed_at is None or reversed_at < kept_since)
    )


@dataclass(slots=True)
class Horizon:
    """Since when each partition's ledger is kept, while a run is judged.

    Attributes:
        kept_for: The distance to the log's time.
        kept_since: By partition; missing before the first record that was not late.
    """

    kept_for: timedelta
    kept_since: dict[int, datetime]

    def reach(self, record: LogRecord, entry: Entry) -> datetime | None:
        """Move a partition's instant on by one of its records.

        A late record moves nothing. So the instant never passes what both the
        broker's clock and the sender's time vouch for, and one wrong stamp far ahead
        cannot close a partition.

        Args:
            record: The next one of its partition.
            entry: Its content.

        Returns:
            The instant under which it is to be judged; None if it is too late.
        """
        partition = record.partition
        kept_since = record.logged_at - self.kept_for
        before = self.kept_since.get(partition)
        if before is not None and before > kept_since:
            kept_since = before
        reversed_at = entry.data.time
        if entry.time < kept_since or (
            reversed_at is not None and reversed_at < kept_since
        ):
            return None
        self.kept_since[partition] = kept_since
        return kept_since


def make_horizon(kept_for: timedelta, known: Mapping[int, datetime]) -> Horizon:
    """Begin where the progress rows stand."""
    return Horizon(kept_for, dict(known))
