"""Where one process stands in `uptake.totals`, and what it does with a batch."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from services.alerting.consumer.decode import RawRecord, decode_batch, record_hash
from services.alerting.core.copied import Position, TotalsBatch
from services.alerting.store import CopyMovedOnError, TotalsStore
from shared.backoff import wait_out
from shared.errors import FatalError

_log = logging.getLogger(__name__)


class TotalsReader:
    """Takes batches of raw records to the copy.

    Every replica reads every partition, from the positions kept with the copy: a
    restart goes on there, and what two replicas read both is applied once.
    """

    def __init__(
        self,
        store: TotalsStore,
        *,
        on_outage: Callable[[str | None], None],
        on_change: Callable[[], None],
    ) -> None:
        """Take what is needed.

        Args:
            store: The copy.
            on_outage: Told why a batch has to wait, and None once it need not.
            on_change: Called when targets have been marked for evaluation.
        """
        self._store = store
        self._on_outage = on_outage
        self._on_change = on_change
        self._standing: dict[int, int] = {}
        self._awaited_hashes: dict[int, tuple[int, bytes]] = {}
        self._failure: asyncio.Future[None] | None = None

    @property
    def standing(self) -> Mapping[int, int]:
        """Next offset of each partition; empty before the start."""
        return dict(self._standing)

    def begin(self, positions: Mapping[int, Position]) -> Mapping[int, int]:
        """Stand where the copy ends.

        Returns:
            Offsets to read from, by partition: the last record that was copied is
            read again, to see that the topic still is the one that was copied.
        """
        self._failure = asyncio.get_running_loop().create_future()
        self._standing = {
            partition: position.next_offset for partition, position in positions.items()
        }
        self._awaited_hashes = {
            partition: (position.next_offset - 1, position.last_record_hash)
            for partition, position in positions.items()
            if position.last_record_hash is not None
        }
        return {
            partition: self._awaited_hashes.get(partition, (offset, b""))[0]
            for partition, offset in self._standing.items()
        }

    def fail(self, error: BaseException) -> None:
        """Note what escaped; nothing is applied any more."""
        assert self._failure is not None, "records come after begin"
        if not self._failure.done():
            self._failure.set_exception(error)

    async def failed(self) -> None:
        """Wait for ever, or raise what escaped."""
        assert self._failure is not None, "called after begin"
        await asyncio.shield(self._failure)

    async def take(self, records: Sequence[RawRecord]) -> None:
        """Apply a batch, waiting outages of Postgres out.

        A crash before the commit loses nothing: positions are part of it.

        Raises:
            FatalError: The topic is another one, or a record cannot be read.
        """
        if self._failure is None or self._failure.done():
            # Between the first read and `begin`, and after a failure, records are
            # dropped here: the start positions bring them again.
            return
        started = time.monotonic()
        self._check_hashes(records)
        batch = decode_batch(records, self._standing)
        if not batch.stretches:
            return
        changed = await wait_out(
            "apply_totals",
            lambda: self._copy(records, batch),
            on_outage=self._on_outage,
        )
        for partition, stretch in batch.stretches.items():
            self._standing[partition] = stretch.next_offset
        if changed:
            self._on_change()
        _log.log(
            # Watermarks come every second, also when nothing happens.
            logging.INFO if batch.days or batch.stated else logging.DEBUG,
            "totals_copied",
            extra={
                "records": len(records),
                "days": len(batch.days),
                "statements": len(batch.stated),
                "units_changed": changed,
                "offsets": {
                    partition: stretch.next_offset
                    for partition, stretch in batch.stretches.items()
                },
                "duration_seconds": round(time.monotonic() - started, 4),
            },
        )

    async def _copy(self, records: Sequence[RawRecord], batch: TotalsBatch) -> int:
        """Apply what of a batch is not in the copy yet; return the units that changed.

        Ends, because the copy only ever moves on. Where this process stands is not
        moved beyond what it has read itself: Kafka's last answer to it may be older
        than what another replica copied.
        """
        ends = self._standing
        while batch.stretches:
            try:
                return await self._store.apply(batch)
            except CopyMovedOnError as moved:
                ends = {
                    partition: max(end, moved.next_offsets.get(partition, 0))
                    for partition, end in ends.items()
                }
                batch = decode_batch(records, ends)
        return 0

    def _check_hashes(self, records: Sequence[RawRecord]) -> None:
        """See that the record before a start position is the one that was copied.

        One that is missing was compacted away, which proves nothing.
        """
        if not self._awaited_hashes:
            return
        for record in records:
            offset, awaited = self._awaited_hashes.get(record.partition, (-1, b""))
            if record.offset == offset and record_hash(record) != awaited:
                raise another_topic(record.partition)
            if record.offset >= offset:
                self._awaited_hashes.pop(record.partition, None)


def another_topic(partition: int) -> FatalError:
    """Say that the topic is not the one that the copy was made of."""
    return FatalError(
        f"partition {partition} of uptake.totals is not the log that alerting copied: "
        "the topic was made anew; have all totals published by `uptake republish`, "
        "then empty the copy and start again, as docs/runbooks/platform.md says"
    )
