"""Queries of one generation, written once."""

import re
from pathlib import Path

from services.aggregation.sql import (
    GENERATION_TABLES,
    NEXT,
    QUERIES,
    SERVING,
    render_queries,
)

SCHEMA = Path(__file__).parents[3] / "services" / "aggregation" / "sql" / "schema.sql"
SHARED = {
    # Numbers that every generation uses, so that they stay what they are.
    "origin",
    "event_type",
    "series",
    # What is still to be published, whichever generation it came from.
    "outbox_rejected",
    "outbox_change",
    # What was told of records that were turned away; a rebuild tells nothing anew.
    "rejection",
    # How far a service has looked, not what it found.
    "watermark",
    # From the catalogue, not from the log.
    "tree_version",
    "locality",
    "locality_above",
}


def test_every_table_is_rebuilt_or_shared() -> None:
    """A new table must say which of the two it is."""
    text = SCHEMA.read_text(encoding="utf-8")
    tables = re.findall(r"^CREATE TABLE aggregation\.(\w+)", text, re.MULTILINE)
    assert sorted(tables) == sorted([*GENERATION_TABLES, *SHARED])


def test_next_generation_takes_its_own_tables_and_the_shared_ones() -> None:
    """No query of the next generation touches a table that serves."""
    for query in NEXT.queries.values():
        named = set(re.findall(r"\baggregation\.(\w+)", query))
        assert named <= SHARED, query
    assert "aggregation_next.ledger" in NEXT.queries["read_rows"]
    assert "aggregation.origin" in NEXT.queries["read_rows"]


def test_queries_differ_in_the_schema_only() -> None:
    """The serving generation's are those of the file."""
    assert SERVING.queries == QUERIES
    assert render_queries(SERVING.schema) == QUERIES
    for name, query in NEXT.queries.items():
        assert query.replace("aggregation_next.", "aggregation.") == QUERIES[name]


def test_progress_is_locked_first() -> None:
    """Writers lock it first too, so neither waits for the other in a circle."""
    assert GENERATION_TABLES[0] == "progress"
