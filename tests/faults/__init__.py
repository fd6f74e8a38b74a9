"""Faults on real Kafka and Postgres, each followed by an independent recount."""
