"""Long verbs of the alerting service."""
