-- migrate:up

SET ROLE uptake_alerting;

-- For how long this platform has listened; at most one row. It stands still while we
-- are away or behind, so our outages make nobody silent.
CREATE TABLE alerting.listening (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    reading interval NOT NULL DEFAULT '0',
    -- Up to when; null before the first look.
    seen_at timestamptz,
    -- When what targets lack was last worked out.
    gaps_at timestamptz NOT NULL DEFAULT '-infinity'
);

-- Which agency owes reports of which indicator, and whether it is heard from.
CREATE TABLE alerting.duty (
    agency text NOT NULL,
    indicator text NOT NULL,
    agency_name text NOT NULL,
    indicator_name text NOT NULL,
    indicator_name_vi text NOT NULL,
    -- The top of the subtree that the agency may report for.
    locality text NOT NULL,
    locality_kind text NOT NULL,
    province text NOT NULL,
    timezone text NOT NULL,
    -- Longest time between two reports; null: it is never silent.
    cadence interval CHECK (cadence > '0'),
    is_required boolean NOT NULL,
    is_removed boolean NOT NULL DEFAULT false,
    expected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Log time of the latest report that was taken in.
    heard_at timestamptz,
    -- Readings of the listening clock: at that report, at the last look, when the voice
    -- became what it is, and after which the clock alone may change it.
    mark interval NOT NULL,
    noted interval NOT NULL,
    turned interval NOT NULL,
    next_reading interval,
    voice text NOT NULL CHECK (voice IN ('heard', 'silent', 'returning')),
    voice_since timestamptz NOT NULL,
    PRIMARY KEY (agency, indicator)
) WITH (fillfactor = 70);

-- Which required agencies may feed which units.
CREATE TABLE alerting.unit_required (
    unit_id bigint NOT NULL REFERENCES alerting.unit ON DELETE CASCADE,
    agency text NOT NULL,
    PRIMARY KEY (unit_id, agency)
);

-- What agencies that are silent or returning brought of a unit's last reported days.
CREATE TABLE alerting.unit_silence (
    unit_id bigint NOT NULL REFERENCES alerting.unit ON DELETE CASCADE,
    agency text NOT NULL,
    share_bp integer NOT NULL CHECK (share_bp BETWEEN 0 AND 10000),
    is_required boolean NOT NULL,
    PRIMARY KEY (unit_id, agency)
);

-- The same in sum, where a look at a target finds it without a search.
ALTER TABLE alerting.unit
    ADD COLUMN silent_bp integer NOT NULL DEFAULT 0
        CHECK (silent_bp BETWEEN 0 AND 10000),
    ADD COLUMN required_gap text CHECK (required_gap IN ('silent', 'never_reported'));

-- An alert is about a target, or about an agency and an indicator.
ALTER TABLE alerting.alert
    ALTER COLUMN target DROP NOT NULL,
    ADD COLUMN agency text,
    ADD COLUMN indicator text,
    ADD CHECK ((target IS NULL) <> (agency IS NULL)),
    ADD CHECK ((agency IS NULL) = (indicator IS NULL)),
    ADD UNIQUE (agency, indicator, kind),
    ADD FOREIGN KEY (agency, indicator) REFERENCES alerting.duty;

CREATE OR REPLACE VIEW reporting.alert AS
SELECT
    a.fingerprint, a.kind, a.target, coalesce(t.indicator, a.indicator) AS indicator,
    coalesce(t.locality, d.locality) AS locality, a.state, a.episode, a.state_since,
    a.pending_since, a.firing_since, a.resolved_at, a.summary_en, a.summary_vi,
    a.evaluated_at, a.agency
FROM alerting.alert AS a
LEFT JOIN alerting.target AS t ON t.target = a.target
LEFT JOIN alerting.duty AS d ON d.agency = a.agency AND d.indicator = a.indicator;

-- Who reports, who is silent, who has just returned: one row for each agency and
-- indicator of which reports are expected.
CREATE VIEW reporting.agency_silence AS
SELECT
    d.agency, d.indicator, d.voice, d.voice_since, r.reported_at, d.expected_at,
    d.cadence, d.is_required
FROM alerting.duty AS d
LEFT JOIN alerting.last_report AS r USING (agency, indicator)
WHERE NOT d.is_removed;

-- Whose silence keeps a target from being judged: what they brought of its last 28
-- reported days, in basis points.
CREATE VIEW reporting.target_silence AS
SELECT
    t.target, s.agency, t.indicator, s.share_bp, s.is_required, d.voice, d.voice_since,
    r.reported_at, d.cadence
FROM alerting.unit_silence AS s
JOIN alerting.target AS t USING (unit_id)
JOIN alerting.duty AS d ON d.agency = s.agency AND d.indicator = t.indicator
LEFT JOIN alerting.last_report AS r
    ON r.agency = s.agency AND r.indicator = t.indicator
WHERE NOT t.is_removed;

GRANT SELECT ON reporting.agency_silence, reporting.target_silence TO uptake_reader;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
