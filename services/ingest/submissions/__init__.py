"""The door over Kafka: agencies' own topics, through the same checks as HTTP.

Delivery: each submission is decided at least once, and what is admitted counts once,
since (source, id) is unique in the ledger. Offsets are committed only after the log,
and the agency's topic of refusals, have confirmed what became of the records; a crash
before that repeats them.
"""
