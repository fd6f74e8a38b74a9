-- migrate:up

SET ROLE uptake_alerting;

-- Most looks find what the one before them found. They write only that they were, and
-- what rows of alerts say is carried on to the target's last look by whoever reads them.
ALTER TABLE alerting.target
    -- When the forecast was made that is told with these figures.
    ADD COLUMN forecast_at timestamptz,
    -- When last a look found something to show that was new.
    ADD COLUMN changed_at timestamptz,
    -- Until when a look would find what the last one found, if nothing is copied or
    -- forecast meanwhile; whatever may change what a look finds sets it back.
    ADD COLUMN calm_until timestamptz NOT NULL DEFAULT '-infinity';
UPDATE alerting.target SET changed_at = evaluated_at;

CREATE OR REPLACE VIEW reporting.alert AS
SELECT
    a.fingerprint, a.kind, a.target, t.indicator, t.locality, a.state, a.episode,
    a.state_since, a.pending_since, a.firing_since, a.resolved_at, a.summary_en,
    a.summary_vi, greatest(a.evaluated_at, t.evaluated_at) AS evaluated_at
FROM alerting.alert AS a
JOIN alerting.target AS t USING (target);

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
