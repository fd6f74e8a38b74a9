-- name: progress
-- What became of the log, over all partitions.
SELECT
    coalesce(sum(applied), 0)::bigint AS applied,
    coalesce(sum(counted), 0)::bigint AS counted,
    coalesce(sum(duplicates), 0)::bigint AS duplicates,
    coalesce(sum(reversed), 0)::bigint AS reversed,
    coalesce(sum(rejected), 0)::bigint AS rejected
FROM reporting.progress;

-- name: unit_totals
-- Levels of a unit ($1, its code), by indicator; no row where nothing is counted.
SELECT indicator, sum(count)::bigint AS count, sum(amount)::bigint AS amount
FROM reporting.running_total
WHERE locality = $1
GROUP BY indicator;

-- name: target
-- Where a target ($1) stands, with its lagging alert; no row before it is evaluated.
SELECT
    s.status,
    s.reason,
    s.actual::bigint AS actual,
    s.expected::bigint AS expected,
    s.position_bp,
    s.pace_7_bp,
    a.state,
    a.firing_since,
    statement_timestamp() AS read_at
FROM reporting.target_status AS s
LEFT JOIN reporting.alert AS a ON a.target = s.target AND a.kind = 'TargetLagging'
WHERE s.target = $1;
