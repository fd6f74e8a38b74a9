"""Migrations make the schema that is committed beside them.

`services/<service>/sql/schema.sql` is what a reader reads and a reviewer compares;
`python -m tests.migration.write_schema` writes it anew after a migration was added.
"""

import asyncpg
import pytest

from services.cli.migrate import OWNERS, _run_dbmate, dbmate_url
from tests.support.database_schema import (
    owners,
    schema_file,
    schema_from_migrations,
)

pytestmark = pytest.mark.timeout(120)


def test_every_service_with_tables_is_tested() -> None:
    """A service whose migrations are not found would pass unseen."""
    assert owners() == OWNERS


@pytest.mark.parametrize("owner", owners())
async def test_migrations_make_the_committed_schema(owner: str, database: str) -> None:
    """To the letter: tables, checks, indexes, views, owners and rights."""
    made = await schema_from_migrations(owner, database)
    committed = schema_file(owner).read_text(encoding="utf-8")
    assert made == committed, "run: python -m tests.migration.write_schema"


async def test_services_share_a_database_without_sharing_tables(database: str) -> None:
    """Each schema has one owner, and no service's role may touch another's tables."""
    for owner in owners():
        await _run_dbmate(owner, dbmate_url(database))
    connection = await asyncpg.connect(database)
    try:
        foreign = await connection.fetch(
            "SELECT role, relation.oid::regclass::text AS relation "
            "FROM pg_class AS relation, unnest($1::text[]) AS role "
            "WHERE relation.relkind IN ('r', 'v') "
            "AND relation.relnamespace::regnamespace::text = ANY($1::text[]) "
            "AND relation.relnamespace::regnamespace::text <> role "
            "AND has_table_privilege('uptake_' || role, relation.oid, "
            "'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')",
            list(owners()),
        )
        assert [tuple(row) for row in foreign] == []
    finally:
        await connection.close()


async def test_readers_may_read_every_reporting_view_and_nothing_else(
    database: str,
) -> None:
    """The views in schema `reporting` are public; what they rest on is not."""
    for owner in owners():
        await _run_dbmate(owner, dbmate_url(database))
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT oid::regclass::text AS relation, "
            "relnamespace = 'reporting'::regnamespace AS is_public, "
            "has_table_privilege('uptake_reader', oid, 'SELECT') AS may_read, "
            "has_table_privilege('uptake_reader', oid, "
            "'INSERT, UPDATE, DELETE, TRUNCATE') AS may_write "
            "FROM pg_class WHERE relkind IN ('r', 'v') "
            "AND relnamespace::regnamespace::text = ANY($1::text[])",
            ["reporting", *owners()],
        )
        assert len(rows) > len(owners())
        for row in rows:
            assert row["may_read"] == row["is_public"], row["relation"]
            assert not row["may_write"], row["relation"]
        await connection.execute("SET ROLE uptake_reader")
        for row in rows:
            if row["is_public"]:
                found = await connection.fetch(f"TABLE {row['relation']}")
                assert found == []
    finally:
        await connection.close()
