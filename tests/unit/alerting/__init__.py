"""Unit tests of what alerting decides."""
