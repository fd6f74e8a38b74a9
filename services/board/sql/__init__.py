"""The board's SQL: named queries on the public views; it has no tables."""

from typing import Final

from shared.postgres.queries import load_queries

QUERIES: Final = load_queries(__name__)
