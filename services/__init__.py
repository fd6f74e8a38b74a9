"""Uptake's programs; each package under this one is a service or the command."""
