"""Long verbs of this service, each run by an operator: `rebuild`."""
