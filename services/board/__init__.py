"""The board: where totals, targets, alerts and receipts are read."""
