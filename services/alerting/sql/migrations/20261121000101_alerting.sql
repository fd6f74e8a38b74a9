-- migrate:up

-- Roles belong to the whole server, so another database may have made them already.
DO $$
BEGIN
    CREATE ROLE uptake_alerting NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
DO $$
BEGIN
    CREATE ROLE uptake_reader NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

GRANT uptake_alerting TO current_user;
CREATE SCHEMA IF NOT EXISTS alerting AUTHORIZATION uptake_alerting;
CREATE SCHEMA IF NOT EXISTS reporting;
GRANT USAGE ON SCHEMA reporting TO uptake_reader;
GRANT USAGE, CREATE ON SCHEMA reporting TO uptake_alerting;
GRANT USAGE ON SCHEMA alerting TO uptake_alerting;

SET ROLE uptake_alerting;

-- How far the copy has come in each partition of uptake.totals. Whoever writes the
-- copy first locks all these rows, so there is one writer at a time.
CREATE TABLE alerting.position (
    partition integer PRIMARY KEY CHECK (partition >= 0),
    next_offset bigint NOT NULL DEFAULT 0 CHECK (next_offset >= 0),
    -- SHA-256 of key and value of the record before next_offset; tells another topic
    -- of the same name from the one that was copied.
    last_record_hash bytea CHECK (octet_length(last_record_hash) = 32),
    -- When the copy last held all that the partition held; null: never yet.
    caught_up_at timestamptz
);

-- The copy of uptake.totals: absolute values, the higher revision stays.
CREATE TABLE alerting.daily_total (
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    day date NOT NULL,
    count numeric NOT NULL,
    amount numeric NOT NULL,
    partition integer NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (indicator, locality, valid_from, agency, day)
);
CREATE TABLE alerting.stated (
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    day date NOT NULL,
    -- Null once every statement for the day is voided.
    level numeric,
    partition integer NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (indicator, locality, valid_from, agency, day)
);
CREATE TABLE alerting.last_report (
    agency text NOT NULL,
    indicator text NOT NULL,
    reported_at timestamptz NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (agency, indicator)
);
CREATE TABLE alerting.watermark (
    partition integer PRIMARY KEY,
    applied_until timestamptz NOT NULL,
    revision bigint NOT NULL
);

-- Level of one agency's series: the latest statement plus the effects after its day.
CREATE TABLE alerting.series (
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    stated_day date,
    level numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (indicator, locality, valid_from, agency)
);

-- An indicator at a place that some target is about. Its sums are kept up to date
-- with the copy, so that an evaluation costs the same however much was counted.
CREATE TABLE alerting.unit (
    unit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    indicator text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    -- Of the set of its leaves; another set means that the sums are made anew.
    leaves_digest text NOT NULL DEFAULT '',
    level numeric NOT NULL DEFAULT 0,
    UNIQUE (indicator, locality, valid_from)
);
CREATE TABLE alerting.unit_leaf (
    indicator text NOT NULL,
    leaf text NOT NULL,
    leaf_valid_from date NOT NULL,
    unit_id bigint NOT NULL REFERENCES alerting.unit ON DELETE CASCADE,
    PRIMARY KEY (indicator, leaf, leaf_valid_from, unit_id)
);
CREATE INDEX unit_leaf_unit ON alerting.unit_leaf (unit_id);
-- Event effects per local day, all leaves and agencies together.
CREATE TABLE alerting.unit_day (
    unit_id bigint NOT NULL REFERENCES alerting.unit ON DELETE CASCADE,
    day date NOT NULL,
    count numeric NOT NULL,
    PRIMARY KEY (unit_id, day)
);
-- Partitions of uptake.events whose agencies have reported for the unit.
CREATE TABLE alerting.unit_partition (
    unit_id bigint NOT NULL REFERENCES alerting.unit ON DELETE CASCADE,
    partition integer NOT NULL,
    PRIMARY KEY (unit_id, partition)
);

-- The catalogue's targets, and where they stand.
CREATE TABLE alerting.target (
    target text PRIMARY KEY,
    unit_id bigint REFERENCES alerting.unit ON DELETE SET NULL,
    indicator text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    locality_kind text NOT NULL,
    -- Code of the province that the locality is or lies in; empty for the nation.
    province text NOT NULL,
    indicator_name text NOT NULL,
    indicator_name_vi text NOT NULL,
    place_name text NOT NULL,
    timezone text NOT NULL,
    trajectory text NOT NULL,
    start_date date NOT NULL,
    start_value bigint NOT NULL,
    due date NOT NULL,
    goal bigint NOT NULL,
    enter_bp integer NOT NULL,
    leave_bp integer NOT NULL,
    for_seconds bigint NOT NULL,
    keep_seconds bigint NOT NULL,
    issued_by text,
    illustrative boolean NOT NULL,
    -- The catalogue has it no more: its alerts end, and it is not shown.
    is_removed boolean NOT NULL DEFAULT false,
    status text CHECK (
        status IN (
            'not_started', 'met', 'missed', 'unknown',
            'lagging', 'at_risk', 'ahead', 'on_track'
        )
    ),
    reason text,
    status_since timestamptz,
    -- Whether it lagged when last it could be judged.
    is_lagging boolean NOT NULL DEFAULT false,
    actual numeric,
    expected numeric,
    position_bp integer,
    pace_7_bp integer,
    pace_28_bp integer,
    required_per_day numeric,
    achieved_7_per_day numeric,
    achieved_28_per_day numeric,
    evaluated_at timestamptz,
    next_evaluation_at timestamptz NOT NULL DEFAULT '-infinity',
    CHECK (start_date < due),
    CHECK (start_value <> goal),
    CHECK (enter_bp <= leave_bp)
) WITH (fillfactor = 70);
CREATE INDEX target_next_evaluation ON alerting.target (next_evaluation_at);
CREATE INDEX target_unit ON alerting.target (unit_id);

-- Alerts that ever left their quiet state.
CREATE TABLE alerting.alert (
    fingerprint text PRIMARY KEY,
    target text NOT NULL REFERENCES alerting.target,
    kind text NOT NULL,
    -- quiet -> pending, firing; pending -> firing, quiet; firing -> kept, resolved;
    -- kept -> firing, resolved; resolved -> pending, firing (a new episode)
    state text NOT NULL CHECK (
        state IN ('quiet', 'pending', 'firing', 'kept', 'resolved')
    ),
    episode integer NOT NULL CHECK (episode >= 0),
    state_since timestamptz NOT NULL,
    pending_since timestamptz,
    firing_since timestamptz,
    resolved_at timestamptz,
    -- Pending: how long the condition held; kept: how long it was clear.
    credited interval NOT NULL DEFAULT '0',
    seen_at timestamptz,
    was_kept boolean NOT NULL DEFAULT false,
    summary_en text NOT NULL,
    summary_vi text NOT NULL,
    evaluated_at timestamptz NOT NULL,
    -- What Alertmanager is to know: raised from, and over since (null: not over).
    told_from timestamptz,
    told_until timestamptz,
    -- Grows with every change of state, so that a slow delivery does not count as
    -- one of the new state.
    version bigint NOT NULL DEFAULT 0,
    next_delivery_at timestamptz NOT NULL DEFAULT '-infinity',
    UNIQUE (target, kind)
);
CREATE INDEX alert_next_delivery ON alerting.alert (next_delivery_at)
    WHERE told_from IS NOT NULL;

-- Transitions on their way to uptake.alerts.
CREATE TABLE alerting.outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL,
    message bytea NOT NULL
);

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
