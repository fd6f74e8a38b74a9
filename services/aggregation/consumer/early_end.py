"""Logs that seem to end before what was applied: believed once it is certain.

What the broker last said of an end may be older than what it is held against: another
process may have applied records since, or the broker may just be coming back.
"""

from typing import Final

from services.aggregation.core.place import Place

# For how long the broker must go on saying that a log ends early to be believed.
ENDS_EARLY_MS: Final = 5_000


class EarlyEnds:
    """Since when the broker says of each partition that its log ends early."""

    def __init__(self) -> None:
        self._first_ms: dict[int, int] = {}
        self._since_ms: dict[int, int] = {}

    def forget(self, partition: int) -> None:
        """Doubt nothing of a partition any more."""
        self._first_ms.pop(partition, None)
        self._since_ms.pop(partition, None)

    def check(
        self,
        place: Place,
        *,
        log_end: int | None,
        polled_ms: int | None,
    ) -> None:
        """Hold a log's end against what was applied of it.

        Args:
            place: What was applied.
            log_end: As the broker's last answer has it; None before the first.
            polled_ms: When that answer came.

        Raises:
            FatalError: The log ends early, for some seconds by now.
        """
        partition = place.partition
        if log_end is None or polled_ms is None or polled_ms < 0:
            return
        if log_end >= place.next_offset:
            self.forget(partition)
            return
        if polled_ms == self._first_ms.setdefault(partition, polled_ms):
            # It may have come before the records that it is held against.
            return
        since_ms = self._since_ms.setdefault(partition, polled_ms)
        if polled_ms - since_ms >= ENDS_EARLY_MS:
            place.check_end(log_end)
