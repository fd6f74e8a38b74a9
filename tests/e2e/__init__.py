"""Tests of the whole system, through the doors that its users have."""
