"""The `uptake` command: reads through public doors and imports `shared` only."""
