-- migrate:up

SET ROLE uptake_aggregation;

-- Since when the partition's ledger is kept, in log time; never goes back. Records about
-- earlier instants are too late, so rows from before it may go (ADR 0013). Null before
-- the first record that says so.
ALTER TABLE aggregation.progress ADD COLUMN kept_since timestamptz;

-- Ledger rows that have gone, by what they were: rows + dropped = counted + reversed.
CREATE TABLE aggregation.ledger_dropped (
    partition integer PRIMARY KEY,
    counted bigint NOT NULL,
    reversed bigint NOT NULL
);

-- A source and id that the ledger has forgotten may be borne by another event, but what
-- is stated is kept for ever.
ALTER TABLE aggregation.statement
    DROP CONSTRAINT statement_pkey,
    ADD PRIMARY KEY (source, id, occurred_at);
ALTER TABLE aggregation.control
    DROP CONSTRAINT control_pkey,
    ADD PRIMARY KEY (source, id, occurred_at);

-- New rows take the room of dropped ones, so rows do not stand in log order any more,
-- which BRIN lives by. Of equal instants a B-tree keeps one: 8 bytes a row.
DROP INDEX aggregation.ledger_logged_at;
CREATE INDEX ledger_logged_at ON aggregation.ledger (logged_at);

-- Rows go a day's worth at a time; left to the default, a fifth of the ledger would be
-- dead before its room is used again.
ALTER TABLE aggregation.ledger SET (autovacuum_vacuum_scale_factor = 0.02);

-- From which instant of log time on "as known at" can be answered; no row before the
-- first record.
CREATE VIEW reporting.ledger_kept AS
SELECT max(kept_since) AS kept_since
FROM aggregation.progress
HAVING max(kept_since) IS NOT NULL;

-- Ledger rows that have gone, per partition.
CREATE VIEW reporting.ledger_dropped AS
SELECT partition, counted, reversed FROM aggregation.ledger_dropped;

GRANT SELECT ON reporting.ledger_kept, reporting.ledger_dropped TO uptake_reader;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
