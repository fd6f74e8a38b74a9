"""Aggregation's SQL: migrations, the schema they add up to, and the queries."""

from typing import Final

from shared.postgres.queries import load_queries

QUERIES: Final = load_queries("services.aggregation.sql")
