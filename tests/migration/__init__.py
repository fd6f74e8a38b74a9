"""Tests of the database schemas."""
