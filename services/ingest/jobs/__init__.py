"""Long work beside the door: `redrive` and `drop` of records, `check` of files."""
