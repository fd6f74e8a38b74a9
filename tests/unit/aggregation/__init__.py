"""Tests of aggregation's decisions."""
