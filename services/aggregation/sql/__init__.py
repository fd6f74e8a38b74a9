"""Aggregation's SQL: migrations, the schema they add up to, and the queries."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.postgres.queries import load_queries

QUERIES: Final = load_queries("services.aggregation.sql")
GENERATION_QUERIES: Final = load_queries("services.aggregation.sql", "generation.sql")
REPUBLISH_QUERIES: Final = load_queries("services.aggregation.sql", "republish.sql")

GENERATION_TABLES: Final = (
    "progress",
    "ledger",
    "reversal",
    "ledger_dropped",
    "daily_total",
    "carry",
    "carried_level",
    "statement",
    "control",
    "last_report",
)
"""What a rebuild makes anew, in the order in which it is locked: progress first, as
every writer locks it first."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One set of the tables that the log alone decides (ADR 0010).

    Attributes:
        schema: Where its tables are; dictionaries, outbox and tree are shared.
        queries: The queries of `queries.sql`, about this generation's tables.
        publishes: Whether what changes in it is to be published.
    """

    schema: str
    queries: Mapping[str, str]
    publishes: bool


def render_queries(schema: str) -> Mapping[str, str]:
    """Return the queries with the tables of a generation taken from another schema."""
    names = "|".join(GENERATION_TABLES)
    table = re.compile(rf"\baggregation\.({names})\b")
    return MappingProxyType(
        {name: table.sub(rf"{schema}.\1", query) for name, query in QUERIES.items()}
    )


SERVING: Final = Generation("aggregation", QUERIES, publishes=True)
NEXT: Final = Generation(
    "aggregation_next", render_queries("aggregation_next"), publishes=False
)
