"""What the reporting views need beside the counts, and what the metrics read."""

import hashlib
from datetime import datetime

import asyncpg

from services.aggregation.sql import QUERIES
from shared.catalogue.model import Tree
from shared.postgres.pool import outages_as_transient


class ViewStore:
    """The tree of localities, and levels as the views show them."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def load_tree(self, tree: Tree) -> bool:
        """Give the views the catalogue's tree.

        Returns:
            Whether it differed from the one they had.
        """
        units = [
            (unit.key.code, unit.key.valid_from, unit.valid_to, unit.kind, unit.name)
            for unit in tree
        ]
        above = [
            (leaf.key.code, leaf.key.valid_from, unit.code, unit.valid_from)
            for leaf in tree.leaves()
            for unit in tree.ancestors(leaf.key)
        ]
        digest = hashlib.sha256(repr((units, above)).encode()).hexdigest()
        async with (
            outages_as_transient(),
            self._pool.acquire() as connection,
            connection.transaction(),
        ):
            await connection.execute(QUERIES["lock_tree"])
            if await connection.fetchval(QUERIES["read_tree_digest"]) == digest:
                return False
            await connection.execute(QUERIES["clear_tree"])
            await connection.execute(QUERIES["clear_tree_above"])
            await connection.copy_records_to_table(
                "locality", schema_name="aggregation", records=units
            )
            await connection.copy_records_to_table(
                "locality_above", schema_name="aggregation", records=above
            )
            await connection.execute(QUERIES["note_tree"], digest)
        return True

    async def levels(self) -> list[tuple[str, str, int]]:
        """Return (indicator, locality, level) of the nation and the provinces."""
        async with outages_as_transient(), self._pool.acquire() as connection:
            rows = await connection.fetch(QUERIES["read_levels"])
        return [(row[0], row[1], int(row[2])) for row in rows]

    async def last_reports(self) -> list[tuple[str, datetime]]:
        """Return when each agency last reported."""
        async with outages_as_transient(), self._pool.acquire() as connection:
            rows = await connection.fetch(QUERIES["read_last_reports"])
        return [(row[0], row[1]) for row in rows]
