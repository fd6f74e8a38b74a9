"""The tests of Uptake."""
