"""What became of rows that were sent, by the receipts that the board told of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.cli.send_plan import ReadyRow, RefusedRow
from shared.events.receipts_v1 import EventReceiptV1, ReceiptState

EXAMPLES_MAX: Final = 5


class Became(StrEnum):
    """What became of a row; each that was asked about has exactly one."""

    COUNTED = "counted"
    BEFORE = "counted_before"
    """Its event was in the log before this sending, which changed nothing."""
    REPEATED = "repeated"
    """It bears the id of a row before it in the file and counts once with it."""
    REVERSED = "reversed"
    """It is a reversal, and was taken."""
    VOIDED = "voided"
    """It was counted and has been reversed."""
    REJECTED = "rejected"
    """It is in no total: itself, or because another event bears its id."""
    FORGOTTEN = "forgotten"
    """The ledger does not reach back to its time."""
    ON_THE_WAY = "on_the_way"
    """It is in the log and was not applied yet when the board was asked."""


_ALIKE: Final = {
    ReceiptState.VOIDED: Became.VOIDED,
    ReceiptState.REJECTED: Became.REJECTED,
    ReceiptState.NOT_SEEN: Became.ON_THE_WAY,
    ReceiptState.FORGOTTEN: Became.FORGOTTEN,
}


def judge_receipt(
    receipt: EventReceiptV1, since: datetime | None, *, is_repeat: bool
) -> Became:
    """Say what became of a row.

    Args:
        receipt: Of its source and id.
        since: When the sending began; None where that is not known.
        is_repeat: Whether a row before it in the file has the same source and id.
    """
    alike = _ALIKE.get(receipt.state)
    if alike is not None:
        return alike
    is_older = _is_older(receipt.logged_at, since)
    conflict = receipt.conflict
    is_conflict = conflict is not None and not _is_older(conflict.logged_at, since)
    if is_conflict and (is_repeat or is_older):
        return Became.REJECTED
    if is_repeat:
        return Became.REPEATED
    if is_older:
        return Became.BEFORE
    is_reversal = receipt.state is ReceiptState.REVERSED
    return Became.REVERSED if is_reversal else Became.COUNTED


def _is_older(logged_at: datetime | None, since: datetime | None) -> bool:
    return since is not None and logged_at is not None and logged_at <= since


@dataclass(slots=True)
class Told:
    """What the board told of the rows of one file.

    Attributes:
        sent: Rows that were accepted in this sending.
        states: How many rows became what.
        complete_up_to: Of the last answer: what was logged up to then was applied.
        rejected: The first few rows that are in no total.
    """

    sent: int = 0
    states: Counter[Became] = field(default_factory=Counter)
    complete_up_to: datetime | None = None
    rejected: list[RefusedRow] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """Rows whose receipt was told."""
        return self.states.total()

    @property
    def not_asked(self) -> int:
        """Rows that nobody asked about: the board went away, or the file changed."""
        return max(self.sent - self.asked, 0)

    def add(self, states: Sequence[Became], rejected: Sequence[RefusedRow]) -> None:
        """Add a page."""
        self.states.update(states)
        room = EXAMPLES_MAX - len(self.rejected)
        self.rejected += rejected[: max(room, 0)]


def reject_row(row: ReadyRow, receipt: EventReceiptV1) -> RefusedRow:
    """Turn a row that is in no total into one that can be listed."""
    why = receipt.conflict if receipt.code is None else receipt
    code = "" if why is None else why.code
    detail = "" if why is None else why.detail
    return row.refuse(code or "unknown", detail or "")
