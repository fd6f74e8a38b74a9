"""The fault harness: `make chaos DURATION=600 SEED=n`.

A seeded plan of faults runs against the whole house under load, while promises 3 and
4 are watched; at the end an independent auditor recounts what was acknowledged.
"""
