"""Pure decisions of aggregation: neither clock nor catalogue, log and ledger only."""
