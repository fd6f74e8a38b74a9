-- migrate:up

SET ROLE uptake_alerting;

-- The last forecast of each target: made once for each complete local day.
CREATE TABLE alerting.forecast (
    target text PRIMARY KEY REFERENCES alerting.target,
    -- The last complete local day that went into it; null before the first.
    day date,
    -- What was asked: a target that was edited is forecast anew.
    unit_id bigint,
    goal bigint,
    due date,
    ceiling bigint,
    p10 date,
    p50 date,
    p90 date,
    -- Chance of missing the due day, in basis points.
    miss_bp integer CHECK (miss_bp BETWEEN 0 AND 10000),
    -- Why nothing is forecast.
    reason text,
    made_at timestamptz,
    next_forecast_at timestamptz NOT NULL DEFAULT '-infinity',
    CHECK ((day IS NULL) = (made_at IS NULL)),
    CHECK (day IS NULL OR (miss_bp IS NULL) = (reason IS NOT NULL)),
    CHECK (miss_bp IS NOT NULL OR coalesce(p10, p50, p90) IS NULL)
) WITH (fillfactor = 70);

ALTER TABLE alerting.target
    -- Whether it was at risk when last it could be judged.
    ADD COLUMN is_at_risk boolean NOT NULL DEFAULT false;

-- When each target will be reached, and how likely it is to be missed. A null day of
-- a forecast lies beyond its horizon of ten years.
CREATE VIEW reporting.target_forecast AS
SELECT
    f.target, f.day, f.p10, f.p50, f.p90, f.miss_bp, f.reason, f.made_at
FROM alerting.forecast AS f
JOIN alerting.target AS t USING (target)
WHERE NOT t.is_removed AND f.day IS NOT NULL;

GRANT SELECT ON reporting.target_forecast TO uptake_reader;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
