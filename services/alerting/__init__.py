"""Judges targets against totals and says so: states, alerts, deliveries."""
