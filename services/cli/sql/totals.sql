-- Totals of localities, from the public views.

-- name: find_unit
-- The unit that bears a code (the nation without one) on a day.
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
-- Levels of units up to a day, or with all that has been counted.
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

-- name: read_totals_known_at
-- The same as known at an instant of log time ($5).
SELECT indicator, locality, valid_from, name, kind, count, amount
FROM reporting.running_total_known_at(coalesce($1::date, 'infinity'::date), $5)
WHERE
    (locality, valid_from) IN (
        SELECT code, since
        FROM unnest($2::text[], $3::date[]) AS asked (code, since)
    )
    AND ($4::text IS NULL OR indicator = $4)

-- name: read_newest
-- Log time of the newest record in the totals, and up to when they are complete.
SELECT
    (SELECT max(last_logged_at) FROM reporting.progress) AS newest,
    (SELECT complete_up_to FROM reporting.completeness) AS complete_up_to

-- name: read_known_range
-- Whether the ledger reaches back to an instant ($1), from when on it does where it does
-- not, and the present. Where no row has been dropped it reaches back to any instant:
-- before its first row nothing was known. The present is by the clock that is furthest
-- ahead: log times are the brokers', completeness is aggregation's.
SELECT
    NOT EXISTS (SELECT FROM reporting.ledger_kept WHERE $1 < kept_since) AS is_kept,
    (SELECT kept_since FROM reporting.ledger_kept WHERE $1 < kept_since) AS known_from,
    greatest(
        now(),
        (SELECT max(last_logged_at) FROM reporting.progress),
        (SELECT complete_up_to FROM reporting.completeness)
    ) AS known_until
