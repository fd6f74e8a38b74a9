"""Servers that a stack on one machine starts for itself and takes down with it."""
