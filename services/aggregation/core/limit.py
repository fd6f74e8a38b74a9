"""How many unreadable records are still bad data, and not a bad deploy.

Ingest admitted every record of the log, so a reader that can make nothing of many of
them is itself what is broken: it must stop before it rejects them. Only unreadable
records count. Conflicts and wrong reversals are made by senders, and no sender may be
able to stop the platform.

The rule is a matter of the log alone: of any `window_records` consecutive records of a
partition at most `records_max` are unreadable. Neither how the log is cut into batches
nor a restart changes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.errors import FatalError


@dataclass(frozen=True, slots=True)
class UnreadableLimit:
    """The policy.

    Attributes:
        records_max: Most unreadable records among `window_records` consecutive ones.
        window_records: At least 1.
    """

    records_max: int
    window_records: int


@dataclass(frozen=True, slots=True)
class UnreadableWindow:
    """What is known of a partition.

    Attributes:
        known_from: From here on every record has been looked at.
        next_offset: The first one that has not.
        offsets: Unreadable ones among them, ascending; at most `records_max`, none
            older than the window.
    """

    partition: int
    known_from: int
    next_offset: int
    offsets: tuple[int, ...] = ()

    def missing(self, first_unreadable: int, limit: UnreadableLimit) -> range:
        """Return the offsets that must be looked at before a record is judged.

        Empty in the long run; after a start the records before it are not known.

        Args:
            first_unreadable: Offset of an unreadable record not yet admitted.
            limit: The policy.
        """
        window_first = max(first_unreadable - limit.window_records + 1, 0)
        return range(window_first, max(self.known_from, window_first))

    def learn(self, past: range, unreadable: Iterable[int]) -> "UnreadableWindow":
        """Take in what was found among the records before the known ones.

        Args:
            past: Ends where the known ones begin.
            unreadable: Ascending offsets among them. More than the limit allows are
                possible: an earlier version may have applied them.
        """
        assert past.stop == self.known_from, f"{past} does not end at {self.known_from}"
        return replace(
            self, known_from=past.start, offsets=(*unreadable, *self.offsets)
        )

    def admit(
        self, next_offset: int, unreadable: Iterable[int], limit: UnreadableLimit
    ) -> "UnreadableWindow":
        """Judge the records up to `next_offset`.

        Args:
            next_offset: Offset after the last of them.
            unreadable: Ascending offsets of those that cannot be read.
            limit: The policy.

        Raises:
            FatalError: More than the limit allows; none of them may be applied.
        """
        kept, oldest = list(self.offsets), 0
        for offset in unreadable:
            kept.append(offset)
            while kept[oldest] <= offset - limit.window_records:
                oldest += 1
            count = len(kept) - oldest
            if count > limit.records_max:
                raise FatalError(
                    f"uptake.events partition {self.partition}: {count} of the "
                    f"{limit.window_records} records up to offset {offset} cannot be "
                    f"read, more than {limit.records_max}; ingest admitted them, so "
                    "suspect this version of aggregation. The batch was not applied. "
                    "If they are no events at all, start once with a higher "
                    "UPTAKE_UNREADABLE_RECORDS_MAX"
                )
        return replace(self, next_offset=next_offset, offsets=tuple(kept[oldest:]))
