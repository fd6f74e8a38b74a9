"""Verbs of this service."""
