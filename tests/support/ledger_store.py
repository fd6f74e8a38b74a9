"""A ledger store fed without a broker: streams of sent records, batch by batch."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg

from services.aggregation.core.record import LogRecord
from services.aggregation.sql import SERVING, Generation
from services.aggregation.store.keys import ledger_key
from services.aggregation.store.ledger import LedgerStore, Slice
from services.aggregation.store.views import ViewStore
from services.cli.migrate import _run_dbmate, dbmate_url
from shared.catalogue.load import load_catalogue
from tests.support.catalogues import copy_catalogue
from tests.support.ledger_model import KEPT_FOR
from tests.support.log_records import LOGGED_AT, Sent

AGENCIES = ("bank", "shop")
"""Each has a partition of its own."""
HASH = bytes(32)


@asynccontextmanager
async def migrated_pool(dsn: str, folder: Path) -> AsyncIterator[asyncpg.Pool]:
    """Make aggregation's tables and the tree; yield a pool that acts as its role."""
    await _run_dbmate("aggregation", dbmate_url(dsn))
    pool = await asyncpg.create_pool(
        dsn, min_size=1, max_size=4, server_settings={"role": "uptake_aggregation"}
    )
    try:
        tree = load_catalogue(copy_catalogue(folder / "catalogue")).tree
        await ViewStore(pool).load_tree(tree)
        yield pool
    finally:
        pool.terminate()


@dataclass(slots=True)
class FedLedger:
    """Applies what is sent as the service would.

    Attributes:
        log: All that was applied, in order.
    """

    pool: asyncpg.Pool
    generation: Generation = SERVING
    log: list[Sent] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0] * len(AGENCIES))

    @property
    def store(self) -> LedgerStore:
        """The store itself."""
        return LedgerStore(self.pool, KEPT_FOR, self.generation)

    async def start(self) -> "FedLedger":
        """Make the progress rows."""
        await self.store.start_partitions(range(len(AGENCIES)))
        return self

    async def apply(self, stream: Iterable[Sent]) -> None:
        """Apply records as one batch; where that fails, nothing was sent."""
        parts: list[list[LogRecord]] = [[] for _ in AGENCIES]
        batch = list(stream)
        for seconds, sent in enumerate(batch, start=len(self.log)):
            partition = AGENCIES.index(sent.agency)
            offset = self.offsets[partition] + len(parts[partition])
            logged_at = LOGGED_AT + timedelta(seconds=seconds)
            key = ledger_key(sent.source, sent.id)
            parts[partition].append(LogRecord(partition, offset, logged_at, sent, key))
        await self.store.apply(
            [
                self._slice(partition, records)
                for partition, records in enumerate(parts)
                if records
            ]
        )
        for partition, records in enumerate(parts):
            self.offsets[partition] += len(records)
        self.log.extend(batch)

    def _slice(self, partition: int, records: Sequence[LogRecord]) -> Slice:
        first = self.offsets[partition]
        return Slice(
            partition,
            first,
            first + len(records),
            HASH,
            records,
            lambda offset: (None, b"%d" % offset),
        )

    async def carry(self) -> int:
        """Carry forward until there is nothing more to carry; return how many days."""
        days = 0
        while await self.store.carry_forward():
            days += 1
        return days
