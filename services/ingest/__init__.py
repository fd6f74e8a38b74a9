"""Ingest: the door; everything that needs clock or catalogue is decided here."""
