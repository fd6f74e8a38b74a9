"""Tests of ingest's decisions."""
