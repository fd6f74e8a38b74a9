"""Aggregation: the log becomes a ledger and totals, each record counted once."""
