"""Tests of the pure parts of the `uptake` command."""
