"""Short numbers for the words that ledger rows repeat: sources, types, series.

Numbers are made outside the batch's transaction and never change, so they may be
remembered here. `forget` is called whenever the database may be another one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.record import Entry
from services.aggregation.sql import QUERIES

SeriesKey = tuple[str, str, str | None, date | None]
"""(indicator, agency, locality, valid_from); a control's has no leaf."""
REMEMBERED_MAX: Final = 200_000


def series_key(entry: Entry) -> SeriesKey | None:
    """Return the series that an entry belongs to; a reversal belongs to none."""
    if entry.indicator is None:
        return None
    return (entry.indicator, entry.agency, entry.locality, entry.validfrom)


def report_series(agency: str, indicator: str) -> SeriesKey:
    """Return the series under which an agency's last report is published."""
    return (indicator, agency, None, None)


@dataclass(slots=True)
class Dictionary:
    """The numbers known so far.

    Attributes:
        owners: The agency that sent first under a source.
    """

    origins: dict[str, int] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    series: dict[SeriesKey, int] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget every number."""
        self.origins.clear()
        self.owners.clear()
        self.types.clear()
        self.series.clear()

    async def learn(
        self, connection: PoolConnectionProxy, entries: Sequence[Entry]
    ) -> None:
        """Know every number that these entries need, and whose the sources are."""
        if len(self.series) > REMEMBERED_MAX or len(self.origins) > REMEMBERED_MAX:
            self.forget()
        # Comprehensions, because this is done for every record.
        agencies = {entry.source: entry.agency for entry in entries}
        types = {entry.type for entry in entries}
        keys: set[SeriesKey] = {
            (entry.indicator, entry.agency, entry.locality, entry.validfrom)
            for entry in entries
            if entry.indicator is not None
        }
        await self._learn_origins(connection, agencies)
        await self._learn_types(connection, types)
        reports = {report_series(agency, indicator) for indicator, agency, *_ in keys}
        await self.learn_series(connection, keys | reports)

    async def _learn_origins(
        self, connection: PoolConnectionProxy, agencies: Mapping[str, str]
    ) -> None:
        await self._read_origins(connection, agencies.keys() - self.origins.keys())
        # Asked first, because an insert that meets a conflict uses a number up.
        new = sorted(agencies.keys() - self.origins.keys())
        if new:
            owners = [agencies[source] for source in new]
            await connection.execute(QUERIES["add_origins"], new, owners)
            await self._read_origins(connection, new)

    async def _read_origins(
        self, connection: PoolConnectionProxy, sources: Collection[str]
    ) -> None:
        if sources:
            rows = await connection.fetch(QUERIES["read_origins"], list(sources))
            self.owners.update((row[0], row[1]) for row in rows)
            self.origins.update((row[0], row[2]) for row in rows)

    async def _learn_types(
        self, connection: PoolConnectionProxy, names: AbstractSet[str]
    ) -> None:
        await self._read_types(connection, names - self.types.keys())
        new = sorted(names - self.types.keys())
        if new:
            await connection.execute(QUERIES["add_types"], new)
            await self._read_types(connection, new)

    async def _read_types(
        self, connection: PoolConnectionProxy, names: Collection[str]
    ) -> None:
        if names:
            rows = await connection.fetch(QUERIES["read_types"], list(names))
            self.types.update((row[0], row[1]) for row in rows)

    async def learn_series(
        self, connection: PoolConnectionProxy, keys: Iterable[SeriesKey]
    ) -> None:
        """Know the numbers of these series."""
        wanted = set(keys)
        await self._read_series(connection, wanted - self.series.keys())
        # In one order for all, so that two replicas do not wait for each other.
        new = sorted(wanted - self.series.keys(), key=repr)
        if new:
            await connection.execute(QUERIES["add_series"], *_columns(new))
            await self._read_series(connection, new)

    async def _read_series(
        self, connection: PoolConnectionProxy, keys: Collection[SeriesKey]
    ) -> None:
        if keys:
            rows = await connection.fetch(QUERIES["read_series"], *_columns(keys))
            self.series.update(
                ((row[0], row[1], row[2], row[3]), row[4]) for row in rows
            )


def _columns(keys: Collection[SeriesKey]) -> list[list[object]]:
    return [list(column) for column in zip(*keys, strict=True)]
