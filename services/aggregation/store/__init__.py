"""Aggregation's tables; each method of a store is one transaction."""
