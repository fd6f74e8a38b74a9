-- migrate:up

SET ROLE uptake_aggregation;

-- Since when the partition's ledger is kept, in log time; never goes back. Records about
-- earlier instants are too late, so rows from before it may go (ADR 0015). Null before
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

-- From which instant of log time on "as known at" can be answered; no row while every
-- instant can, because nothing has been dropped.
CREATE VIEW reporting.ledger_kept AS
SELECT max(p.kept_since) AS kept_since
FROM aggregation.progress AS p
JOIN aggregation.ledger_dropped AS d USING (partition)
HAVING count(*) > 0;

-- Ledger rows that have gone, per partition.
CREATE VIEW reporting.ledger_dropped AS
SELECT partition, counted, reversed FROM aggregation.ledger_dropped;

GRANT SELECT ON reporting.ledger_kept, reporting.ledger_dropped TO uptake_reader;

-- Refuses an instant for which rows are missing: a wrong figure would look like any other.
CREATE FUNCTION aggregation.check_kept(at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $$
DECLARE
    since CONSTANT timestamptz := (SELECT kept_since FROM reporting.ledger_kept);
BEGIN
    IF at < since THEN
        RAISE EXCEPTION 'the ledger is kept since %; what was known at % cannot be told any more',
            to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN true;
END
$$;

-- As before, and refuses an instant from before the ledger. leaf_total_known_at and
-- running_total_known_at call it.
CREATE OR REPLACE FUNCTION reporting.daily_total_known_at(at timestamptz)
RETURNS TABLE (
    indicator text,
    agency text,
    locality text,
    valid_from date,
    day date,
    count numeric,
    amount numeric
)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog
AS $$
    WITH later AS (
        SELECT key, kind, series_id, day, count, amount, voided_by, log_offset
        FROM aggregation.ledger
        WHERE logged_at > at
    ),
    effects AS (
        SELECT series_id, day, count, amount FROM aggregation.daily_total
        UNION ALL
        SELECT series_id, day, -count, -amount
        FROM later
        WHERE kind = 'c' AND voided_by IS NULL
        UNION ALL
        SELECT o.series_id, o.day, o.count, o.amount
        FROM later AS l
        JOIN aggregation.reversal AS r USING (key)
        JOIN aggregation.ledger AS o ON o.key = r.reversed_key
        WHERE
            l.kind = 'r' AND o.kind = 'c' AND o.voided_by = l.log_offset
            AND o.logged_at <= at
    )
    SELECT
        s.indicator, s.agency, s.locality, s.valid_from, e.day,
        sum(e.count), sum(e.amount)
    FROM effects AS e
    JOIN aggregation.series AS s USING (series_id)
    WHERE (SELECT aggregation.check_kept(at))
    GROUP BY s.series_id, e.day
    HAVING sum(e.count) <> 0 OR sum(e.amount) <> 0
$$;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
