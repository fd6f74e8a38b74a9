"""The catalogue: indicators, event types, localities, agencies and targets.

`model` is what the rest of the system sees; `load` makes it from files.
"""
