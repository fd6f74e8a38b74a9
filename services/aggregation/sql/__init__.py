"""Aggregation's SQL: migrations, the schema they add up to, and the queries."""
