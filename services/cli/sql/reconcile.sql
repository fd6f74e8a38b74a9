-- An independent recount of what aggregation keeps, from the public views.

-- name: read_progress
-- What became of each partition's records.
SELECT
    partition, next_offset, applied, counted, duplicates, reversed, rejected,
    last_logged_at
FROM reporting.progress
ORDER BY partition

-- name: read_first_whole_day
-- The first local day all of whose ledger rows are there; null while none has been
-- dropped. Rows that went are of instants before `kept_since`, which in no time zone is
-- further on than the day after UTC's.
SELECT (max(kept_since) AT TIME ZONE 'UTC')::date + 2 AS first_whole_day
FROM reporting.ledger_kept

-- name: count_ledger
-- Ledger rows per partition, those that are there and those dropped: counted are
-- events, statements and controls.
SELECT partition, sum(counted)::bigint AS counted, sum(reversed)::bigint AS reversed
FROM (
    SELECT
        partition::integer,
        count(*) FILTER (WHERE kind IN ('c', 's', 'k')) AS counted,
        count(*) FILTER (WHERE kind = 'r') AS reversed
    FROM reporting.ledger
    GROUP BY partition
    UNION ALL
    SELECT partition, counted, reversed FROM reporting.ledger_dropped
) AS every
GROUP BY partition

-- name: compare_daily_totals
-- Daily totals that are not the sum of their events; a row of zeros should not be.
-- $1 most rows, $2 the first day to compare, or null.
WITH recounted AS (
    SELECT
        indicator, agency, locality, valid_from, day,
        sum(count) AS count,
        sum(coalesce(amount, 0)) AS amount
    FROM reporting.ledger
    WHERE kind = 'c' AND NOT voided AND day >= coalesce($2::date, '-infinity')
    GROUP BY indicator, agency, locality, valid_from, day
    HAVING sum(count) <> 0 OR sum(coalesce(amount, 0)) <> 0
)
SELECT
    indicator, agency, locality, valid_from, day,
    kept.count AS kept_count,
    kept.amount AS kept_amount,
    recounted.count AS recounted_count,
    recounted.amount AS recounted_amount,
    count(*) OVER () AS differing
FROM recounted
FULL JOIN (
    SELECT * FROM reporting.daily_total WHERE day >= coalesce($2::date, '-infinity')
) AS kept
    USING (indicator, agency, locality, valid_from, day)
WHERE
    kept.count IS DISTINCT FROM recounted.count
    OR kept.amount IS DISTINCT FROM recounted.amount
ORDER BY indicator, agency, locality, valid_from, day
LIMIT $1

-- name: compare_carried
-- Levels carried forward that are not what they were carried from.
SELECT
    day, indicator, agency, locality, valid_from,
    carried_count, carried_amount, summed_count, summed_amount,
    count(*) OVER () AS differing
FROM reporting.carried_difference
ORDER BY day, indicator, agency, locality, valid_from
LIMIT $1

-- name: compare_sums
-- Units whose total is not the sum of what lies directly under them.
WITH total AS (
    SELECT indicator, locality, valid_from, count, amount
    FROM reporting.running_total
),
child AS (
    SELECT DISTINCT
        parent.code AS parent_code,
        parent.valid_from AS parent_valid_from,
        part.code,
        part.valid_from
    FROM reporting.locality_above AS above
    JOIN reporting.locality_above AS beside
        ON beside.leaf = above.leaf AND beside.leaf_valid_from = above.leaf_valid_from
    JOIN reporting.locality AS parent
        ON parent.code = above.code AND parent.valid_from = above.valid_from
    JOIN reporting.locality AS part
        ON part.code = beside.code AND part.valid_from = beside.valid_from
    WHERE
        (parent.kind = 'nation' AND part.kind = 'province')
        OR (parent.kind = 'province' AND part.kind = 'commune')
        OR part.code = parent.code || '-unallocated'
),
under AS (
    SELECT
        t.indicator, c.parent_code AS locality, c.parent_valid_from AS valid_from,
        sum(t.count) AS count, sum(t.amount) AS amount
    FROM child AS c
    JOIN total AS t ON t.locality = c.code AND t.valid_from = c.valid_from
    GROUP BY t.indicator, c.parent_code, c.parent_valid_from
),
above_leaves AS (
    SELECT t.*
    FROM total AS t
    JOIN reporting.locality AS l
        ON l.code = t.locality AND l.valid_from = t.valid_from
    WHERE l.kind IN ('nation', 'province')
)
SELECT
    indicator, locality, valid_from,
    own.count AS own_count, own.amount AS own_amount,
    under.count AS under_count, under.amount AS under_amount
FROM above_leaves AS own
FULL JOIN under USING (indicator, locality, valid_from)
WHERE
    own.count IS DISTINCT FROM under.count
    OR own.amount IS DISTINCT FROM under.amount
ORDER BY indicator, locality, valid_from
LIMIT $1

-- name: compare_nation
-- Indicators whose nation is not the sum of all leaves, e.g. for a leaf that the tree
-- of localities lacks.
WITH leaves AS (
    SELECT indicator, sum(count) AS count, sum(amount) AS amount
    FROM reporting.leaf_total_on('infinity'::date)
    GROUP BY indicator
),
nation AS (
    SELECT indicator, sum(count) AS count, sum(amount) AS amount
    FROM reporting.running_total
    WHERE kind = 'nation'
    GROUP BY indicator
)
SELECT
    indicator,
    nation.count AS own_count, nation.amount AS own_amount,
    leaves.count AS under_count, leaves.amount AS under_amount
FROM nation
FULL JOIN leaves USING (indicator)
WHERE
    nation.count IS DISTINCT FROM leaves.count
    OR nation.amount IS DISTINCT FROM leaves.amount
ORDER BY indicator

-- name: read_controls
-- Agencies' own figures beside what is counted.
SELECT
    indicator, agency, day, claimed, counted, difference,
    count(*) OVER () AS differing
FROM reporting.control
WHERE difference <> 0
ORDER BY day DESC, indicator, agency
LIMIT $1

-- name: count_checked
-- How much was compared, and how much could not be. $1 the first day, or null.
SELECT
    (
        SELECT count(*) FROM reporting.daily_total
        WHERE day >= coalesce($1::date, '-infinity')
    ) AS daily_totals,
    (SELECT count(*) FROM reporting.daily_total WHERE day < $1::date) AS older_totals,
    (
        SELECT coalesce(sum(counted + reversed), 0)::bigint
        FROM reporting.ledger_dropped
    ) AS rows_dropped,
    (SELECT count(*) FROM reporting.control) AS controls

-- name: distrust_indexes
-- Has the rest of this transaction read tables only: an index that is corrupt, or was
-- gone for a while, would hide what stands twice.
SELECT
    set_config('enable_indexscan', 'off', true),
    set_config('enable_indexonlyscan', 'off', true),
    set_config('enable_bitmapscan', 'off', true)

-- name: find_repeated
-- Events that stand more than once in the ledger. First by a short hash, so that a
-- large ledger spills little to disk; what shares one is then compared in full, in a
-- second pass that is left out where nothing does. By their instant too: an id that the
-- ledger has forgotten may be borne anew before its old row is dropped. $1 most rows.
WITH suspected AS MATERIALIZED (
    SELECT hashtextextended(source || ' ' || id, 0) AS hash
    FROM reporting.ledger
    GROUP BY hash, occurred_at
    HAVING count(*) > 1
)
SELECT
    source, id,
    count(*) AS rows,
    min(partition) AS partition,
    min(log_offset) AS first_offset,
    max(log_offset) AS last_offset,
    count(*) OVER () AS differing
FROM reporting.ledger
WHERE hashtextextended(source || ' ' || id, 0) IN (SELECT hash FROM suspected)
GROUP BY source, id, occurred_at
HAVING count(*) > 1
ORDER BY source COLLATE "C", id COLLATE "C"
LIMIT $1
