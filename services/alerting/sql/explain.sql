-- What `uptake targets explain` reads; it writes nothing.

-- name: read_target
-- One target as it is judged, with what its last look left and its last forecast.
SELECT
    t.target, t.unit_id, t.indicator, t.locality, t.valid_from, t.indicator_name,
    t.indicator_name_vi, t.place_name, t.timezone, t.trajectory, t.start_date,
    t.start_value, t.due, t.goal, t.enter_bp, t.leave_bp, t.for_seconds,
    t.keep_seconds, t.issued_by, t.illustrative, t.measure, t.milestones,
    t.goal_share_bp, t.population_group, t.population, t.population_as_of,
    t.population_source, t.population_illustrative, t.period, t.succeeds, t.status,
    t.status_since, t.is_lagging, t.is_at_risk, t.evaluated_at,
    nullif(t.next_evaluation_at, '-infinity') AS next_evaluation_at,
    f.reason AS no_forecast, u.silent_bp, u.required_gap
FROM alerting.target AS t
JOIN alerting.unit AS u USING (unit_id)
LEFT JOIN alerting.forecast AS f
    ON f.target = t.target AND (f.unit_id, f.goal, f.due) = (t.unit_id, t.goal, t.due)
WHERE t.target = $1 AND NOT t.is_removed
