"""Where a partition is read from, and what of the log is refused.

The progress row is the only start position. Reading begins one record before it, so
that the log proves to be the one whose records were applied (DESIGN section 3).
"""

from dataclasses import dataclass, replace

from shared.errors import FatalError


@dataclass(frozen=True, slots=True)
class Place:
    """How far a partition has been applied.

    Attributes:
        next_offset: The first offset not applied.
        last_record_hash: Hash of the record before it; None when there is none.
        is_proved: Whether the log has shown that record in this run.
    """

    partition: int
    next_offset: int
    last_record_hash: bytes | None
    is_proved: bool = False

    @property
    def start_offset(self) -> int:
        """Return where to begin reading: at the last applied record, if any."""
        return max(self.next_offset - 1, 0)

    @property
    def must_prove(self) -> bool:
        """Tell whether the log has still to show the last applied record."""
        return self.next_offset > 0 and not self.is_proved

    def prove(self, offset: int, record_hash: bytes) -> "Place":
        """Hold the first record read against the last one applied.

        Raises:
            FatalError: The log is not the one whose records were applied.
        """
        if offset != self.start_offset:
            raise FatalError(
                f"{self._name} lacks offset {self.start_offset}, the last one applied "
                f"(its log gives {offset}): the log was truncated or is another "
                "topic; nothing was skipped. Restore the topic, or the database "
                "that belongs to it"
            )
        if record_hash != self.last_record_hash:
            raise FatalError(
                f"{self._name} holds another record at offset {offset} than the one "
                "applied: the topic was recreated, or the database belongs to "
                "another one; nothing was skipped. Restore what belongs together"
            )
        return replace(self, is_proved=True)

    def check_end(self, log_end: int) -> None:
        """Hold the log's end against what was applied.

        Raises:
            FatalError: The log ends before the last applied record.
        """
        if log_end < self.next_offset:
            raise FatalError(
                f"{self._name} ends at offset {log_end}, but {self.next_offset} "
                "records were applied: the topic was recreated or lost its end; "
                "nothing was skipped. Restore the topic, or the database that "
                "belongs to it"
            )

    def check_gap(self, offset: int) -> None:
        """Check that a record is the next one.

        Raises:
            FatalError: Records between the last applied one and this are missing.
        """
        if offset != self.next_offset:
            raise FatalError(
                f"{self._name} jumps from offset {self.next_offset} to {offset}: "
                "records are missing from the log; nothing was skipped"
            )

    def moved_to(self, next_offset: int, last_record_hash: bytes) -> "Place":
        """Return the place after a batch was applied."""
        return Place(self.partition, next_offset, last_record_hash, is_proved=True)

    @property
    def _name(self) -> str:
        return f"uptake.events partition {self.partition}"
