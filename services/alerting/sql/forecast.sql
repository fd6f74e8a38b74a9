-- What the forecasts of targets read and write.

-- name: add_forecasts
-- Have a row for each target.
INSERT INTO alerting.forecast (target)
SELECT t.target FROM alerting.target AS t
WHERE NOT EXISTS (SELECT FROM alerting.forecast AS f WHERE f.target = t.target)
ORDER BY t.target
ON CONFLICT DO NOTHING

-- name: lock_due_forecasts
-- Take at most $1 targets under way whose forecast of the last complete day is due,
-- or was made for another goal, and that nobody else has taken. Nobody is taken before
-- all that was logged until their last midnight is in the copy, which holds all until
-- $2. today is the target's local day.
SELECT
    f.target, n.today, t.timezone, t.unit_id, t.start_date, t.start_value, t.due,
    t.goal, t.measure, n.ceiling
FROM alerting.forecast AS f
JOIN alerting.target AS t USING (target)
CROSS JOIN LATERAL (
    SELECT
        (clock_timestamp() AT TIME ZONE t.timezone)::date AS today,
        -- A flow has none: its transactions do not run out.
        CASE t.measure WHEN 'stock' THEN t.population END AS ceiling
) AS n
WHERE
    NOT t.is_removed
    AND t.unit_id IS NOT NULL
    AND n.today BETWEEN t.start_date AND t.due
    AND n.today::timestamp AT TIME ZONE t.timezone <= $2
    AND (
        f.next_forecast_at <= clock_timestamp()
        OR (f.unit_id, f.goal, f.due, f.ceiling)
            IS DISTINCT FROM (t.unit_id, t.goal, t.due, n.ceiling)
    )
ORDER BY f.next_forecast_at, f.target
LIMIT $1
FOR UPDATE OF f SKIP LOCKED

-- name: read_courses
-- How units came along: positions in the answer are those of the arrays. $1 units,
-- $2 the first day wanted, $3 today. days and counts are of days that have any, in
-- order; after is what today and later days brought.
SELECT
    n.place,
    coalesce(u.level, 0) AS level,
    (
        SELECT min(x.day) FROM alerting.unit_day AS x WHERE x.unit_id = n.unit_id
    ) AS first_day,
    (
        SELECT coalesce(sum(x.count), 0) FROM alerting.unit_day AS x
        WHERE x.unit_id = n.unit_id AND x.day >= n.today
    ) AS after,
    coalesce(d.days, '{}') AS days,
    coalesce(d.counts, '{}') AS counts
FROM unnest($1::bigint[], $2::date[], $3::date[])
    WITH ORDINALITY AS n (unit_id, from_day, today, place)
LEFT JOIN alerting.unit AS u ON u.unit_id = n.unit_id
LEFT JOIN LATERAL (
    SELECT
        array_agg(x.day ORDER BY x.day) AS days,
        array_agg(x.count::float8 ORDER BY x.day) AS counts
    FROM alerting.unit_day AS x
    WHERE x.unit_id = n.unit_id AND x.day >= n.from_day AND x.day < n.today
) AS d ON true
ORDER BY n.place

-- name: save_forecasts
-- Forecasts of targets ($1), one array per column; $12 when the next one of each is
-- due.
UPDATE alerting.forecast AS f
SET day = n.day, unit_id = n.unit_id, goal = n.goal, due = n.due,
    ceiling = n.ceiling, p10 = n.p10, p50 = n.p50, p90 = n.p90,
    miss_bp = n.miss_bp, reason = n.reason, made_at = clock_timestamp(),
    next_forecast_at = n.next_forecast_at
FROM unnest(
    $1::text[], $2::date[], $3::bigint[], $4::bigint[], $5::date[], $6::bigint[],
    $7::date[], $8::date[], $9::date[], $10::integer[], $11::text[],
    $12::timestamptz[]
) AS n (
    target, day, unit_id, goal, due, ceiling, p10, p50, p90, miss_bp, reason,
    next_forecast_at
)
WHERE f.target = n.target

-- name: read_outlooks
-- The last forecasts of targets ($1), where they were made for what is asked now.
SELECT f.target, f.day, f.p10, f.p50, f.p90, f.miss_bp, f.made_at
FROM alerting.forecast AS f
JOIN alerting.target AS t USING (target)
WHERE
    f.target = ANY($1::text[])
    AND f.day IS NOT NULL
    AND (f.unit_id, f.goal, f.due) = (t.unit_id, t.goal, t.due)
