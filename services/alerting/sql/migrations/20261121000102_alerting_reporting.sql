-- migrate:up

SET ROLE uptake_alerting;

-- Where each target stands; rates are signed towards the goal.
CREATE VIEW reporting.target_status AS
SELECT
    target, indicator, locality, valid_from, status, reason, actual, expected,
    start_value, goal::numeric AS goal, start_date, due, position_bp, pace_7_bp,
    pace_28_bp, required_per_day, achieved_7_per_day, achieved_28_per_day,
    illustrative, status_since, evaluated_at
FROM alerting.target
WHERE NOT is_removed AND status IS NOT NULL;

-- Alerts that ever left their quiet state, and where they are now.
CREATE VIEW reporting.alert AS
SELECT
    a.fingerprint, a.kind, a.target, t.indicator, t.locality, a.state, a.episode,
    a.state_since, a.pending_since, a.firing_since, a.resolved_at, a.summary_en,
    a.summary_vi, a.evaluated_at
FROM alerting.alert AS a
JOIN alerting.target AS t USING (target);

GRANT SELECT ON reporting.target_status, reporting.alert TO uptake_reader;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
