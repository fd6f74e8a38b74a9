"""The way of the log into the ledger: read and decode, judge and store, watch.

Delivery: each record is applied once. The position comes from the progress row alone;
offsets are committed to Kafka afterwards, for lag tools. A crash at any point repeats
at most the last batches, which the compare-and-set then refuses.

While Postgres works on one batch, the next is fetched and decoded; batches of a
partition are applied in order, and at most two wait.

aiokafka is used directly, because the first fetch after an assignment must wait for
the progress row (ADR 0005).
"""
