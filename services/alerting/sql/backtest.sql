-- What a backtest reads: the public views and functions of schema reporting, and
-- nothing of a service's own.

-- name: read_span
-- From when to when history can be told: since the ledger's first row, or since it
-- is kept, until all is counted. Nothing is null but where nothing was ever logged.
SELECT
    greatest(
        (SELECT min(logged_at) FROM reporting.ledger),
        (SELECT kept_since FROM reporting.ledger_kept)
    ) AS first_at,
    least(
        (SELECT complete_up_to FROM reporting.completeness), clock_timestamp()
    ) AS last_at

-- name: read_effects
-- Effects by day as known at $7 at places ($2, $3) of indicators ($1), each within its
-- days from $4 to $5, null where it has none; positions in the answer are those of the
-- arrays. total is the sum of those days; days and counts are of days from $6 on that
-- have any effect and are not after $5, in order.
WITH unit AS (
    SELECT *
    FROM unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::date[])
        WITH ORDINALITY AS n (indicator, locality, valid_from, since, until, place)
),
known AS (
    SELECT u.place, k.day, sum(k.count) AS count
    FROM reporting.daily_total_known_at($7) AS k
    JOIN reporting.locality_above AS a
        ON a.leaf = k.locality AND a.leaf_valid_from = k.valid_from
    JOIN unit AS u
        ON u.indicator = k.indicator
        AND u.locality = a.code AND u.valid_from = a.valid_from
    WHERE u.until IS NULL OR k.day <= u.until
    GROUP BY u.place, k.day
),
summed AS (
    SELECT
        k.place,
        min(k.day) AS first_day,
        sum(k.count) FILTER (WHERE u.since IS NULL OR k.day >= u.since) AS total,
        array_agg(k.day ORDER BY k.day) FILTER (WHERE k.day >= $6) AS days,
        array_agg(k.count::bigint ORDER BY k.day) FILTER (WHERE k.day >= $6) AS counts
    FROM known AS k
    JOIN unit AS u USING (place)
    GROUP BY k.place
)
SELECT
    u.place,
    s.first_day,
    coalesce(s.total, 0) AS total,
    coalesce(s.days, '{}') AS days,
    coalesce(s.counts, '{}') AS counts
FROM unit AS u
LEFT JOIN summed AS s USING (place)
ORDER BY u.place

-- name: read_levels
-- Levels on day $4, as known at $5, at places ($2, $3) of indicators ($1), statements
-- included; positions in the answer are those of the arrays.
SELECT n.place, coalesce(t.count, 0) AS level
FROM unnest($1::text[], $2::text[], $3::date[])
    WITH ORDINALITY AS n (indicator, locality, valid_from, place)
LEFT JOIN reporting.running_total_known_at($4, $5) AS t
    ON t.indicator = n.indicator
    AND t.locality = n.locality AND t.valid_from = n.valid_from
ORDER BY n.place
