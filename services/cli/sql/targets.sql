-- Targets and alerts, from the public views that alerting keeps.

-- name: read_targets
-- Where each target stands; one target, one status or one locality if asked.
SELECT
    s.target, s.indicator, s.locality, s.valid_from, l.name AS locality_name,
    s.status, s.reason, s.actual, s.expected, s.start_value, s.goal, s.start_date,
    s.due, s.position_bp, s.pace_7_bp, s.pace_28_bp, s.required_per_day,
    s.achieved_7_per_day, s.achieved_28_per_day, s.illustrative, s.status_since,
    s.evaluated_at, s.measure, s.trajectory, s.period, s.goal_share_bp,
    s.population_group, s.population, s.population_as_of, s.population_source,
    s.population_illustrative, s.succeeds, s.succeeded_by,
    f.day AS forecast_day, f.p10, f.p50, f.p90, f.miss_bp, f.reason AS no_forecast
FROM reporting.target_status AS s
LEFT JOIN reporting.target_forecast AS f ON f.target = s.target
LEFT JOIN reporting.locality AS l
    ON l.code = s.locality AND l.valid_from = s.valid_from
WHERE
    ($1::text IS NULL OR s.target = $1)
    AND ($2::text IS NULL OR s.status = $2)
    AND ($3::text IS NULL OR s.locality = $3)
ORDER BY s.target

-- name: read_alerts
-- Alerts that are on, or every one; of one target, agency or fingerprint if asked. With
-- what their targets stand at, how long they have waited, and when they are looked at
-- next.
SELECT
    a.fingerprint, a.kind, a.target, a.indicator, a.locality, a.state, a.episode,
    a.state_since, a.pending_since, a.firing_since, a.resolved_at, a.summary_en,
    a.summary_vi, a.evaluated_at, a.agency, s.status, s.reason, s.trajectory, s.actual,
    s.expected, s.position_bp, s.pace_7_bp, s.pace_28_bp, l.looked_at,
    l.next_look_at, l.enter_bp, l.leave_bp, w.waited_seconds, w.wait_seconds
FROM reporting.alert AS a
LEFT JOIN reporting.target_status AS s ON s.target = a.target
LEFT JOIN reporting.target_look AS l ON l.target = a.target
LEFT JOIN reporting.alert_wait AS w ON w.fingerprint = a.fingerprint
WHERE
    ($1::text IS NULL OR $1 IN (a.target, a.agency, a.fingerprint))
    AND ($2::boolean OR a.state NOT IN ('quiet', 'resolved'))
ORDER BY
    CASE a.state
        WHEN 'firing' THEN 1 WHEN 'kept' THEN 2 WHEN 'pending' THEN 3 ELSE 4
    END,
    a.target, a.agency, a.kind, a.fingerprint

-- name: read_silences
-- Whose silence keeps a target ($1) from being judged, the greatest share first.
SELECT agency, share_bp, is_required, voice, voice_since, reported_at, cadence
FROM reporting.target_silence
WHERE target = $1
ORDER BY share_bp DESC, agency
