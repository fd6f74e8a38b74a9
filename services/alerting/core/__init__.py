"""What alerting decides; nothing here does input or output, or reads a clock."""
