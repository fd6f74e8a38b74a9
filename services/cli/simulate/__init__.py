"""Simulated agencies: a plan with a known truth, and the sending of it."""
