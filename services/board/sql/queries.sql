-- What the board reads: the public views of schema reporting, nothing else.

-- name: check_views
-- Whether every view that is read is there, in the form that is read; returns no row.
SELECT
    l.key, l.voided_by, r.source_id_hash, t.target, f.p50, a.agency, g.dead_at, u.day
FROM reporting.ledger AS l, reporting.rejection AS r, reporting.target_status AS t,
    reporting.target_forecast AS f, reporting.alert AS a,
    reporting.alert_delivery AS g,
    reporting.running_total_by_day AS u,
    reporting.ledger_kept AS k, reporting.completeness AS c
LIMIT 0

-- name: find_unit
-- The unit that bears a code (the nation without one) on a day. $1 code, $2 day.
SELECT code, valid_from, name, kind
FROM reporting.locality
WHERE
    valid_from <= $2
    AND (valid_to IS NULL OR $2 < valid_to)
    AND (code = $1 OR ($1::text IS NULL AND kind = 'nation'))

-- name: find_children
-- What lies directly under a unit on a day: under the nation provinces, under a
-- province communes, under both the unallocated leaf.
SELECT DISTINCT child.code, child.valid_from, child.name, child.kind
FROM reporting.locality_above AS above
JOIN reporting.locality_above AS beside
    ON beside.leaf = above.leaf AND beside.leaf_valid_from = above.leaf_valid_from
JOIN reporting.locality AS child
    ON child.code = beside.code AND child.valid_from = beside.valid_from
WHERE
    above.code = $1
    AND above.valid_from = $2
    AND child.valid_from <= $3
    AND (child.valid_to IS NULL OR $3 < child.valid_to)
    AND (
        child.code = $1 || '-unallocated'
        OR child.kind
            = CASE $4 WHEN 'nation' THEN 'province' WHEN 'province' THEN 'commune' END
    )
ORDER BY child.code

-- name: read_totals
-- Levels of units up to a day, or with all that has been counted. $1 day, $2 codes,
-- $3 since when each bears its code, $4 an indicator or null, $5 all that may be told
-- or null.
SELECT indicator, locality, valid_from, name, kind, count, amount
FROM reporting.running_total_by_day
WHERE
    day = (SELECT least($1::date, last_day) FROM reporting.covered_days)
    -- Said twice: this condition reaches the tables, so that only these are added up.
    AND locality = ANY($2::text[])
    AND (locality, valid_from) IN (
        SELECT code, since
        FROM unnest($2::text[], $3::date[]) AS asked (code, since)
    )
    AND ($4::text IS NULL OR indicator = $4)
    AND ($5::text[] IS NULL OR indicator = ANY($5))

-- name: read_totals_known_at
-- The same as known at an instant of log time ($6).
SELECT indicator, locality, valid_from, name, kind, count, amount
FROM reporting.running_total_known_at(coalesce($1::date, 'infinity'::date), $6)
WHERE
    (locality, valid_from) IN (
        SELECT code, since
        FROM unnest($2::text[], $3::date[]) AS asked (code, since)
    )
    AND ($4::text IS NULL OR indicator = $4)
    AND ($5::text[] IS NULL OR indicator = ANY($5))

-- name: read_newest
-- Log time of the newest record in the totals, and up to when they are complete.
SELECT
    (SELECT max(last_logged_at) FROM reporting.progress) AS newest_record_at,
    (SELECT complete_up_to FROM reporting.completeness) AS complete_up_to

-- name: read_known_range
-- Whether the ledger reaches back to an instant ($1), from when on it does where it does
-- not, and the present by the clock that is furthest ahead: log times are the brokers',
-- completeness is aggregation's. Where no row has been dropped it reaches back to any
-- instant: before its first row nothing was known.
SELECT
    NOT EXISTS (SELECT FROM reporting.ledger_kept WHERE $1 < kept_since) AS is_kept,
    (SELECT kept_since FROM reporting.ledger_kept) AS known_from,
    greatest(
        now(),
        (SELECT max(last_logged_at) FROM reporting.progress),
        (SELECT complete_up_to FROM reporting.completeness)
    ) AS known_until

-- name: read_levels
-- Levels of a unit at the end of each day from $1 to $2. The level of a day after the
-- last one with anything on it is that one's, and nothing was there before the first
-- one. $3 code, $4 since when the unit bears it, $5 indicator.
SELECT day, count, amount
FROM reporting.running_total_by_day
WHERE
    day = ANY(ARRAY(
        SELECT least($1::date + n, c.last_day)
        FROM reporting.covered_days AS c, generate_series(0, $2::date - $1::date) AS n
    ))
    AND locality = $3 AND valid_from = $4 AND indicator = $5

-- name: read_last_day
-- The last day with anything on it, or null.
SELECT max(last_day) AS last_day FROM reporting.covered_days

-- name: read_days
-- What events did on each day from $1 to $2 at the leaves of a unit. $3 code, $4 since
-- when the unit bears it, $5 indicator.
SELECT d.day, sum(d.count) AS count, sum(d.amount) AS amount
FROM reporting.locality_above AS a
JOIN reporting.daily_total AS d
    ON d.locality = a.leaf AND d.valid_from = a.leaf_valid_from
WHERE
    a.code = $3 AND a.valid_from = $4 AND d.indicator = $5
    AND d.day = ANY(ARRAY(
        SELECT $1::date + n FROM generate_series(0, $2::date - $1::date) AS n
    ))
GROUP BY d.day

-- name: read_targets
-- Where targets stand, by id, after the one named $1. $2 to $5: only this target, status,
-- locality, indicator, where not null. $6 most rows. $7 indicators and $8, $9 units
-- (codes, since when they bear them) that may be told, all where null.
SELECT
    s.target, s.indicator, s.locality, s.valid_from, l.name AS locality_name,
    s.status, s.reason, s.actual, s.expected, s.start_value, s.goal, s.start_date,
    s.due, s.position_bp, s.pace_7_bp, s.pace_28_bp, s.required_per_day,
    s.achieved_7_per_day, s.achieved_28_per_day, s.illustrative, s.status_since,
    s.evaluated_at, s.measure, s.trajectory, s.period, s.goal_share_bp,
    s.population_group, s.population, s.population_as_of, s.population_source,
    s.population_illustrative, s.succeeds, s.succeeded_by,
    f.day AS forecast_day, f.p10, f.p50, f.p90, f.miss_bp, f.reason AS no_forecast,
    CASE WHEN s.goal < s.start_value THEN s.actual - s.expected
        ELSE s.expected - s.actual END AS behind
FROM reporting.target_status AS s
LEFT JOIN reporting.target_forecast AS f ON f.target = s.target
LEFT JOIN reporting.locality AS l
    ON l.code = s.locality AND l.valid_from = s.valid_from
WHERE
    ($1::text IS NULL OR s.target COLLATE "C" > $1)
    AND ($2::text IS NULL OR s.target = $2)
    AND ($3::text IS NULL OR s.status = $3)
    AND ($4::text IS NULL OR s.locality = $4)
    AND ($5::text IS NULL OR s.indicator = $5)
    AND ($7::text[] IS NULL OR s.indicator = ANY($7))
    AND (
        $8::text[] IS NULL
        OR (s.locality, s.valid_from) IN (
            SELECT code, since FROM unnest($8::text[], $9::date[]) AS told (code, since)
        )
    )
ORDER BY s.target COLLATE "C"
LIMIT $6

-- name: read_alerts
-- Alerts, firing ones first, after the one at ($1, $2, $3, $4) in that order. $5: only
-- of this target or fingerprint; $6, $7, $8 only this state, kind, locality, where not
-- null; $9 also those that are quiet or resolved. $10 most rows. $11 indicators and
-- $12, $13 units (codes, since when they bear them) that may be told, all where null;
-- $14 the one agency of which alerts about agencies may be told, all where null.
-- An alert says its unit's code only, which other land may have borne: its target says
-- which one is meant. Of a target that was removed nobody can tell, so it is not told.
-- One about an agency has the code at the top of that agency's subtree: who is told of
-- units below it only is not told what sums up all of them.
SELECT
    fingerprint, kind, target, agency, indicator, locality, state, episode, state_since,
    pending_since, firing_since, resolved_at, summary_en, summary_vi, evaluated_at,
    (
        SELECT count(*) FROM reporting.alert_delivery AS g
        WHERE g.fingerprint = a.fingerprint AND g.dead_at IS NOT NULL
    ) AS deliveries_dead,
    rank
FROM (
    SELECT
        *,
        CASE state
            WHEN 'firing' THEN '1' WHEN 'kept' THEN '2' WHEN 'pending' THEN '3' ELSE '4'
        END AS rank
    FROM reporting.alert
) AS a
WHERE
    (
        $1::text IS NULL
        OR (rank COLLATE "C", coalesce(target, '') COLLATE "C", kind COLLATE "C",
            fingerprint COLLATE "C") > ($1, $2, $3, $4)
    )
    AND ($5::text IS NULL OR target = $5 OR fingerprint = $5)
    AND ($6::text IS NULL OR state = $6)
    AND ($7::text IS NULL OR kind = $7)
    AND ($8::text IS NULL OR locality = $8)
    AND ($9::boolean OR state NOT IN ('quiet', 'resolved'))
    AND ($11::text[] IS NULL OR indicator = ANY($11))
    AND ($14::text IS NULL OR agency IS NULL OR agency = $14)
    AND (
        $12::text[] IS NULL
        OR (agency IS NOT NULL AND locality = ANY($12))
        OR EXISTS (
            SELECT
            FROM reporting.target_status AS s
            WHERE
                s.target = a.target
                AND (s.locality, s.valid_from) IN (
                    SELECT code, since
                    FROM unnest($12::text[], $13::date[]) AS told (code, since)
                )
        )
    )
ORDER BY
    rank COLLATE "C", coalesce(target, '') COLLATE "C", kind COLLATE "C",
    fingerprint COLLATE "C"
LIMIT $10
