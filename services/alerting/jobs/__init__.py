"""Verbs of the alerting service."""
