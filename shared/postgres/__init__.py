"""Reaching Postgres: the pool, and queries kept as reviewed source."""
