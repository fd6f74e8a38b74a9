-- migrate:up

-- Roles belong to the whole server, so another database may have made them already.
DO $$
BEGIN
    CREATE ROLE uptake_aggregation NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
DO $$
BEGIN
    CREATE ROLE uptake_reader NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

GRANT uptake_aggregation TO current_user;
CREATE SCHEMA IF NOT EXISTS aggregation AUTHORIZATION uptake_aggregation;
CREATE SCHEMA IF NOT EXISTS reporting;
GRANT USAGE ON SCHEMA reporting TO uptake_reader, uptake_aggregation;
GRANT USAGE ON SCHEMA aggregation TO uptake_aggregation;

SET ROLE uptake_aggregation;

-- The only start position of a partition, and what became of its records.
CREATE TABLE aggregation.progress (
    partition integer PRIMARY KEY CHECK (partition >= 0),
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    -- SHA-256 of the last applied record (key, value, timestamp); null before the first.
    last_record_hash bytea CHECK (octet_length(last_record_hash) = 32),
    -- Log time of the last applied record.
    last_logged_at timestamptz,
    counted bigint NOT NULL DEFAULT 0 CHECK (counted >= 0),
    duplicates bigint NOT NULL DEFAULT 0 CHECK (duplicates >= 0),
    reversed bigint NOT NULL DEFAULT 0 CHECK (reversed >= 0),
    rejected bigint NOT NULL DEFAULT 0 CHECK (rejected >= 0),
    -- Promise 3: records applied = counted + duplicates + reversed + rejected.
    CONSTRAINT every_record_has_one_class
        CHECK (next_offset = counted + duplicates + reversed + rejected)
);

-- Sources, each of one agency for ever; a short number for the ledger's rows. Numbers
-- of these three tables are made outside the batch's transaction, so one that a batch
-- did not use in the end is harmless.
CREATE TABLE aggregation.origin (
    origin_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL UNIQUE,
    agency text NOT NULL
);

-- CloudEvents types.
CREATE TABLE aggregation.event_type (
    type_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL UNIQUE
);

-- What is counted by whom and where; controls have no leaf.
CREATE TABLE aggregation.series (
    series_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text,
    valid_from date,
    UNIQUE NULLS NOT DISTINCT (indicator, agency, locality, valid_from)
);

-- One row per counted record and per reversal taken. (source, id) is unique for ever,
-- by the 128-bit BLAKE2b of the two: a third of the index that the texts would need.
-- Columns stand by width, so that no byte is lost to alignment (ADR 0009).
CREATE TABLE aggregation.ledger (
    key uuid PRIMARY KEY,
    logged_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    log_offset bigint NOT NULL,
    -- Signed effect of an event; level of a statement; claim of a control.
    count bigint,
    amount bigint,
    -- Offset of the reversal that voided this row.
    voided_by bigint,
    origin_id integer NOT NULL,
    series_id integer,
    day date NOT NULL,
    partition smallint NOT NULL,
    type_id smallint NOT NULL,
    -- c: event, s: statement, k: control, r: reversal
    kind "char" NOT NULL CHECK (kind IN ('c', 's', 'k', 'r')),
    id text NOT NULL,
    CHECK (kind = 'r' OR (series_id IS NOT NULL AND count IS NOT NULL))
);

-- What each reversal taken voids; at most one per original is taken. It may have come
-- before its original.
CREATE TABLE aggregation.reversal (
    key uuid PRIMARY KEY,
    reversed_key uuid NOT NULL,
    reversed_occurred_at timestamptz NOT NULL,
    log_offset bigint NOT NULL,
    reversed_source text NOT NULL,
    reversed_id text NOT NULL,
    UNIQUE (reversed_key, reversed_occurred_at)
);

-- Event effects only, summed per leaf and local day; a row of zeros is removed.
CREATE TABLE aggregation.daily_total (
    series_id integer NOT NULL,
    day date NOT NULL,
    count numeric NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (series_id, day)
);

-- Statements that hold; kept for ever, also when their ledger rows have gone.
CREATE TABLE aggregation.statement (
    source text NOT NULL,
    id text NOT NULL,
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    day date NOT NULL,
    occurred_at timestamptz NOT NULL,
    level bigint NOT NULL CHECK (level >= 0),
    logged_at timestamptz NOT NULL,
    PRIMARY KEY (source, id)
);
-- "C" compares ids by their bytes, as the rule for statements of one day says.
CREATE INDEX statement_series ON aggregation.statement
    (indicator, agency, locality, valid_from, day DESC, occurred_at DESC,
     source COLLATE "C" DESC, id COLLATE "C" DESC);

-- An agency's own figure for a day, beside which the count is shown.
CREATE TABLE aggregation.control (
    source text NOT NULL,
    id text NOT NULL,
    indicator text NOT NULL,
    agency text NOT NULL,
    day date NOT NULL,
    occurred_at timestamptz NOT NULL,
    claimed bigint NOT NULL CHECK (claimed >= 0),
    PRIMARY KEY (source, id)
);
CREATE INDEX control_series ON aggregation.control
    (indicator, agency, day, occurred_at DESC);

-- When an agency last reported an indicator, in log time.
CREATE TABLE aggregation.last_report (
    agency text NOT NULL,
    indicator text NOT NULL,
    logged_at timestamptz NOT NULL,
    PRIMARY KEY (agency, indicator)
);

-- Rejected records on their way to uptake.rejected.
CREATE TABLE aggregation.outbox_rejected (
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    logged_at timestamptz NOT NULL,
    record_key bytea,
    record_value bytea,
    PRIMARY KEY (partition, log_offset)
);

-- Totals that changed and are still to be published; one row per key, however often
-- it changed, so that a flood of events becomes one message per key and second.
CREATE TABLE aggregation.outbox_total (
    revision bigint NOT NULL,
    partition integer NOT NULL,
    series_id integer NOT NULL,
    -- The day of a daily total or statement; of a last report '-infinity'.
    day date NOT NULL,
    -- d: daily total, s: statement, l: last report
    kind "char" NOT NULL CHECK (kind IN ('d', 's', 'l')),
    PRIMARY KEY (partition, kind, series_id, day)
);

-- The tree of localities, for the views only; loaded from the catalogue at start.
CREATE TABLE aggregation.tree_version (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    digest text NOT NULL
);
CREATE TABLE aggregation.locality (
    code text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    kind text NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (code, valid_from)
);
-- Each leaf with itself and every unit above it.
CREATE TABLE aggregation.locality_above (
    leaf text NOT NULL,
    leaf_valid_from date NOT NULL,
    code text NOT NULL,
    valid_from date NOT NULL,
    PRIMARY KEY (leaf, leaf_valid_from, code, valid_from)
);
CREATE INDEX locality_above_unit ON aggregation.locality_above (code, valid_from);

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
