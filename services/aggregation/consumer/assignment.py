"""Which partitions are ours, how far each is read, and how far it is applied."""

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import NamedTuple

from aiokafka import ConsumerRebalanceListener, TopicPartition
from typing_extensions import override

from services.aggregation.core.place import Place
from services.aggregation.store.ledger import Slice


class Cut(NamedTuple):
    """Records that were read and are to be applied.

    Attributes:
        term: The term of the partition in which they were read; once another one has
            begun, they are out of date.
    """

    slice: Slice
    term: int


# aiokafka ships no types, so its base class is Any to mypy.
class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """The partitions of this process; those that were started have a place.

    The listener only takes notes: whatever needs Postgres is done by the reader,
    where an outage can be waited out without losing the group's membership.

    Attributes:
        to_start: Ours, but their progress rows have not been read.
        places: How far each is read.
        applied: Next offset of each in the ledger.
        watermarks: Up to which log time each is applied.
    """

    def __init__(self) -> None:
        self.to_start: set[int] = set()
        self.places: dict[int, Place] = {}
        self.applied: dict[int, int] = {}
        self.watermarks: dict[int, datetime] = {}
        self._terms: dict[int, int] = {}
        self._next_term = count()

    @override
    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        for known in (
            self.to_start,
            self.places,
            self.applied,
            self.watermarks,
            self._terms,
        ):
            known.clear()

    @override
    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.to_start.update(tp.partition for tp in assigned)

    def begin(self, place: Place) -> None:
        """Start a partition at a place; whatever was read of it before is void."""
        partition = place.partition
        self.to_start.discard(partition)
        self.places[partition] = place
        self.applied[partition] = place.next_offset
        self._terms[partition] = next(self._next_term)

    def cut(self, part: Slice) -> Cut:
        """Note that records were read, and stamp them with the partition's term."""
        place = self.places[part.partition]
        self.places[part.partition] = place.moved_to(
            part.next_offset, part.last_record_hash
        )
        return Cut(part, self._terms[part.partition])

    def is_current(self, cut: Cut) -> bool:
        """Tell whether records were read in the term that lasts."""
        return self._terms.get(cut.slice.partition) == cut.term

    def note_applied(self, cut: Cut) -> None:
        """Note that records are in the ledger."""
        if self.is_current(cut):
            self.applied[cut.slice.partition] = cut.slice.next_offset
            self.watermarks[cut.slice.partition] = cut.slice.records[-1].logged_at

    def restart(self, cuts: Iterable[Cut]) -> None:
        """Have partitions start again from their progress rows."""
        for cut in cuts:
            if self.is_current(cut):
                partition = cut.slice.partition
                del self.places[partition]
                del self._terms[partition]
                self.to_start.add(partition)
