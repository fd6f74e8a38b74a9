"""A ledger in a real database, fed with logs of many years in no time."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from services.aggregation.core.judge import Judgement
from services.aggregation.core.record import LogRecord
from services.aggregation.sql import SERVING, Generation
from services.aggregation.store.keys import ledger_key
from services.aggregation.store.ledger import LedgerStore, Slice
from services.aggregation.store.retention import BEGINNING, RetentionStore
from services.cli.migrate import OWNERS, _run_dbmate, dbmate_url
from shared.postgres.pool import open_pool
from shared.settings import PostgresSettings
from tests.support.log_records import (
    NINE,
    Sent,
    control,
    counted,
    reversal,
    stated,
)

KEPT_FOR: Final = timedelta(days=10)
TICK: Final = timedelta(microseconds=1)
HOUR: Final = timedelta(hours=1)
DELAYS: Final = (
    -2 * KEPT_FOR,
    -timedelta(minutes=10),
    timedelta(0),
    HOUR,
    KEPT_FOR - TICK,
    KEPT_FOR,
    KEPT_FOR + TICK,
    2 * KEPT_FOR,
)
STEPS: Final = (timedelta(0), TICK, HOUR, 50 * HOUR, KEPT_FOR - HOUR, KEPT_FOR)
# Of what was sent before, that much is sent again or reversed; the rest is too late.
RECENT: Final = 6
ROLE: Final = "uptake_aggregation"


async def service_pool(dsn: str) -> asyncpg.Pool:
    """Connect as the service does."""
    settings = PostgresSettings.model_validate({"postgres_dsn": dsn})
    return await open_pool(settings, role=ROLE, size_max=4)


async def migrated_pool(dsn: str) -> asyncpg.Pool:
    """Make all tables in an empty database and connect as the service does."""
    for owner in OWNERS:
        await _run_dbmate(owner, dbmate_url(dsn))
    return await service_pool(dsn)


@dataclass(slots=True)
class LongLog:
    """Random logs, a partition and an agency each, seeded.

    Attributes:
        steps: By how much log time goes on between two records.
        records: Of all partitions, in the order in which they were logged.
    """

    seed: int
    partitions: int
    length: int
    steps: Sequence[timedelta] = (*STEPS, -HOUR, -KEPT_FOR)
    records: list[LogRecord] = field(init=False)

    def __post_init__(self) -> None:
        """Draw everything."""
        chance = random.Random(self.seed)  # noqa: S311 -- a seeded plan
        now = dict.fromkeys(range(self.partitions), NINE)
        sent: Mapping[int, list[Sent]] = {number: [] for number in now}
        self.records = []
        for offset in range(self.length):
            for partition in now:
                now[partition] += chance.choice(self.steps)
                entry = self._draw(chance, partition, sent[partition], now[partition])
                record = LogRecord(
                    partition,
                    offset,
                    now[partition],
                    entry,
                    ledger_key(entry.source, entry.id),
                )
                self.records.append(record)

    @staticmethod
    def _draw(
        chance: random.Random, partition: int, sent: list[Sent], now: datetime
    ) -> Sent:
        if sent and chance.random() < 0.4:
            return chance.choice(sent[-RECENT:])
        agency = f"agency-{partition}"

        def own(sent: Sent) -> Sent:
            time = now - chance.choice(DELAYS)
            return replace(sent, agency=agency, source=f"/{agency}", time=time)

        id_ = str(chance.randrange(6))
        number = chance.randrange(1, 4)
        made = [counted(id_, number), counted(id_, number, 5)]
        event = own(chance.choice([*made, stated(id_, number), control(id_, number)]))
        sent.append(event)
        if chance.random() < 0.4:
            named = chance.choice(sent[-RECENT:])
            event = own(reversal(str(chance.randrange(6)), named))
            sent.append(event)
        return event


class Ledger:
    """Applies logs to a generation and drops its old rows."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        kept_for: timedelta = KEPT_FOR,
        generation: Generation = SERVING,
    ) -> None:
        self._store = LedgerStore(pool, kept_for, generation)
        self.retention = RetentionStore(pool, generation)

    async def start(self, partitions: int) -> None:
        """Make the progress rows."""
        await self._store.start_partitions(range(partitions))

    async def apply(self, records: Sequence[LogRecord]) -> Judgement:
        """Apply consecutive records of any partitions as one batch."""
        parts: dict[int, list[LogRecord]] = {}
        for record in records:
            parts.setdefault(record.partition, []).append(record)
        return await self._store.apply(
            [
                Slice(
                    partition,
                    part[0].offset,
                    part[-1].offset + 1,
                    part[-1].offset.to_bytes(32),
                    part,
                    lambda _: (b"", b""),
                )
                for partition, part in parts.items()
            ]
        )

    async def carry(self) -> None:
        """Carry levels forward as far as days have settled."""
        while await self._store.carry_forward():
            pass

    async def drop(self, *, rows_max: int = 7) -> int:
        """Drop all that may go, in small steps; return how many rows went."""
        dropped, looked_up_to = 0, BEGINNING
        while True:
            step = await self.retention.drop_step(looked_up_to, rows_max=rows_max)
            if step is None:
                return dropped
            dropped, looked_up_to = dropped + step.dropped, step.looked_up_to
