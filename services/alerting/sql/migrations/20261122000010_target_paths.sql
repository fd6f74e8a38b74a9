-- migrate:up

SET ROLE uptake_alerting;

-- A flow has no level. What came within the span of a target's run is kept like one,
-- so that a look at it costs the same as at a stock. Both null: a stock.
ALTER TABLE alerting.unit
    ADD COLUMN since date,
    ADD COLUMN until date,
    ADD CHECK ((since IS NULL) = (until IS NULL)),
    ADD CHECK (since <= until),
    DROP CONSTRAINT unit_indicator_locality_valid_from_key,
    ADD CONSTRAINT unit_key
        UNIQUE NULLS NOT DISTINCT (indicator, locality, valid_from, since, until);

ALTER TABLE alerting.target
    ADD COLUMN measure text NOT NULL DEFAULT 'stock'
        CHECK (measure IN ('stock', 'flow')),
    -- Days and values, ascending: [["2026-03-31", 900000], ...].
    ADD COLUMN milestones jsonb NOT NULL DEFAULT '[]',
    -- Hundredths of a percent of the population; null: the goal was given as a value.
    ADD COLUMN goal_share_bp integer,
    ADD COLUMN population_group text,
    -- Also the ceiling of a logistic path.
    ADD COLUMN population bigint CHECK (population > 0),
    ADD COLUMN population_as_of date,
    ADD COLUMN population_source text,
    ADD COLUMN population_illustrative boolean,
    -- Calendar period of a flow, as it was written.
    ADD COLUMN period text,
    ADD COLUMN succeeds text,
    ADD CHECK (trajectory <> 'logistic' OR population IS NOT NULL),
    ADD CHECK ((population IS NULL) = (population_group IS NULL));
CREATE INDEX target_succeeds ON alerting.target (succeeds) WHERE succeeds IS NOT NULL;

CREATE OR REPLACE VIEW reporting.target_status AS
SELECT
    t.target, t.indicator, t.locality, t.valid_from, t.status, t.reason, t.actual,
    t.expected, t.start_value, t.goal::numeric AS goal, t.start_date, t.due,
    t.position_bp, t.pace_7_bp, t.pace_28_bp, t.required_per_day,
    t.achieved_7_per_day, t.achieved_28_per_day, t.illustrative, t.status_since,
    t.evaluated_at, t.measure, t.trajectory, t.milestones, t.period,
    t.goal_share_bp, t.population_group, t.population::numeric AS population,
    t.population_as_of, t.population_source, t.population_illustrative, t.succeeds,
    (
        SELECT min(s.target) FROM alerting.target AS s
        WHERE s.succeeds = t.target AND NOT s.is_removed
    ) AS succeeded_by
FROM alerting.target AS t
WHERE NOT t.is_removed AND t.status IS NOT NULL;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
