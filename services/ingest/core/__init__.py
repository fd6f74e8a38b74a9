"""Pure decisions of ingest."""
