-- Queries of the aggregation service; run as role uptake_aggregation.

-- name: ensure_progress
-- Makes the rows of partitions that have none yet; $1 partitions.
INSERT INTO aggregation.progress (partition, next_offset)
SELECT p, 0 FROM unnest($1::integer[]) AS p
ON CONFLICT DO NOTHING

-- name: read_progress
-- Where partitions stand; $1 partitions.
SELECT partition, next_offset, last_record_hash, last_logged_at,
    counted, duplicates, reversed, rejected
FROM aggregation.progress
WHERE partition = ANY($1::integer[])
ORDER BY partition

-- name: lock_progress
-- Locks the rows of a batch's partitions in ascending order, so that two writers can
-- not wait for each other; the caller compares the offsets. While they are locked, no
-- day is carried forward, so the last one stays the last. $1 partitions.
SELECT
    partition, next_offset, kept_since,
    (SELECT max(day) FROM aggregation.carry) AS carried
FROM aggregation.progress
WHERE partition = ANY($1::integer[])
ORDER BY partition
FOR UPDATE

-- name: advance_progress
-- The set of the compare-and-set: moves partitions on and adds the class counts; a
-- check constraint holds next_offset to their sum. $1 partitions, $2 expected and
-- $3 new next offsets, $4 hashes and $5 log times of the last records,
-- $6 counted, $7 duplicates, $8 reversed, $9 rejected, $10 since when the ledger is
-- kept; null before a record says so.
UPDATE aggregation.progress AS p
SET next_offset = b.next_offset,
    last_record_hash = b.last_record_hash,
    last_logged_at = b.last_logged_at,
    counted = p.counted + b.counted,
    duplicates = p.duplicates + b.duplicates,
    reversed = p.reversed + b.reversed,
    rejected = p.rejected + b.rejected,
    kept_since = b.kept_since
FROM unnest(
    $1::integer[], $2::bigint[], $3::bigint[], $4::bytea[], $5::timestamptz[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::timestamptz[]
) AS b (
    partition, expected_offset, next_offset, last_record_hash, last_logged_at,
    counted, duplicates, reversed, rejected, kept_since
)
WHERE p.partition = b.partition AND p.next_offset = b.expected_offset

-- name: add_origins
-- Numbers sources that have none. $1 sources, $2 their agencies.
INSERT INTO aggregation.origin (source, agency)
SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (source) DO NOTHING

-- name: read_origins
-- Numbers of sources, and whose they are. $1 sources.
SELECT source, agency, origin_id FROM aggregation.origin
WHERE source = ANY($1::text[])

-- name: add_types
-- Numbers event types that have none. $1 types.
INSERT INTO aggregation.event_type (type)
SELECT * FROM unnest($1::text[])
ON CONFLICT (type) DO NOTHING

-- name: read_types
-- Numbers of event types. $1 types.
SELECT type, type_id FROM aggregation.event_type WHERE type = ANY($1::text[])

-- name: add_series
-- Numbers series that have none. $1 indicators, $2 agencies, $3 localities,
-- $4 valid_from.
INSERT INTO aggregation.series (indicator, agency, locality, valid_from)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[])
ON CONFLICT (indicator, agency, locality, valid_from) DO NOTHING

-- name: read_series
-- Numbers of series. Parameters as for add_series.
SELECT s.indicator, s.agency, s.locality, s.valid_from, s.series_id
FROM unnest($1::text[], $2::text[], $3::text[], $4::date[])
    AS b (indicator, agency, locality, valid_from)
JOIN aggregation.series AS s
    ON s.indicator = b.indicator AND s.agency = b.agency
    AND s.locality IS NOT DISTINCT FROM b.locality
    AND s.valid_from IS NOT DISTINCT FROM b.valid_from

-- name: find_known
-- Which keys stand in the ledger, or are waited for by a reversal taken; a few of a
-- batch are. $1 keys.
SELECT key, false AS waits FROM aggregation.ledger WHERE key = ANY($1::uuid[])
UNION ALL
SELECT reversed_key, true FROM aggregation.reversal
WHERE reversed_key = ANY($1::uuid[])

-- name: read_rows
-- The ledger's rows with these keys, in words. $1 keys.
SELECT o.source, l.id, l.kind, t.type, l.partition, l.log_offset, l.logged_at,
    l.occurred_at, o.agency, s.indicator, s.locality, s.valid_from, l.day,
    l.count, l.amount, r.reversed_source, r.reversed_id, r.reversed_occurred_at,
    l.voided_by
FROM aggregation.ledger AS l
JOIN aggregation.origin AS o USING (origin_id)
JOIN aggregation.event_type AS t USING (type_id)
LEFT JOIN aggregation.series AS s USING (series_id)
LEFT JOIN aggregation.reversal AS r ON l.kind = 'r' AND r.key = l.key
WHERE l.key = ANY($1::uuid[])

-- name: read_waiting
-- Reversals taken whose original has one of these keys. $1 keys.
SELECT reversed_source, reversed_id, reversed_occurred_at, log_offset
FROM aggregation.reversal
WHERE reversed_key = ANY($1::uuid[])

-- name: void_rows
-- Marks older rows as voided. $1 keys, $2 offsets of the reversals.
UPDATE aggregation.ledger AS l
SET voided_by = b.voided_by
FROM unnest($1::uuid[], $2::bigint[]) AS b (key, voided_by)
WHERE l.key = b.key AND l.voided_by IS NULL

-- name: hold_off_retention
-- Has no rows dropped until this transaction ends: the step that drops them looks at a
-- row's reversals by its key, which is about to change.
SELECT pg_advisory_xact_lock(hashtextextended('aggregation.ledger', 0))

-- name: retire_rows
-- Gives forgotten rows, as many as are still there, another key, so that a new row can
-- have theirs. $1 keys, $2 keys instead.
UPDATE aggregation.ledger AS l
SET key = b.retired_key
FROM unnest($1::uuid[], $2::uuid[]) AS b (key, retired_key)
WHERE l.key = b.key

-- name: retire_reversals
-- The same for what forgotten reversals void. Parameters as for retire_rows.
UPDATE aggregation.reversal AS r
SET key = b.retired_key
FROM unnest($1::uuid[], $2::uuid[]) AS b (key, retired_key)
WHERE r.key = b.key

-- name: follow_retired
-- Has reversals go on naming the rows that they void. $1 and $2 as for retire_rows,
-- $3 the instants of those rows' events.
UPDATE aggregation.reversal AS r
SET reversed_key = b.retired_key
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
    AS b (key, retired_key, occurred_at)
WHERE r.reversed_key = b.key AND r.reversed_occurred_at = b.occurred_at

-- name: hold_retention
-- One process at a time drops rows; false if another does. Held by this transaction.
SELECT pg_try_advisory_xact_lock(hashtextextended('aggregation.ledger', 0))

-- name: find_old_rows
-- Log time up to which the next old rows are looked at; null where there are no more.
-- Rows of one instant stay together. $1 log time of the last one looked at, $2 rows.
SELECT max(logged_at)
FROM (
    SELECT logged_at
    FROM aggregation.ledger
    WHERE
        logged_at > $1
        AND logged_at < (SELECT max(kept_since) FROM aggregation.progress)
    ORDER BY logged_at
    LIMIT $2
) AS old

-- name: drop_old_rows
-- Drops forgotten rows, notes how many, and returns it. A reversal is remembered while
-- its original may come, and a voided row is kept as long as its reversal, which says
-- from when on it was void. $1 and $2: log times after the first, up to the second.
WITH dropped AS (
    DELETE FROM aggregation.ledger AS l
    USING aggregation.progress AS p
    WHERE
        p.partition = l.partition
        AND l.logged_at > $1 AND l.logged_at <= $2
        AND l.logged_at < p.kept_since AND l.occurred_at < p.kept_since
        AND NOT EXISTS (
            SELECT FROM aggregation.reversal AS r
            WHERE
                l.kind = 'r' AND r.key = l.key
                AND r.reversed_occurred_at >= p.kept_since
        )
        AND NOT EXISTS (
            SELECT FROM aggregation.reversal AS r
            JOIN aggregation.ledger AS v USING (key)
            WHERE
                l.voided_by IS NOT NULL AND r.reversed_key = l.key
                AND r.reversed_occurred_at = l.occurred_at
                AND v.logged_at >= p.kept_since
        )
    RETURNING l.key, l.kind, l.partition
),
unbound AS (
    DELETE FROM aggregation.reversal AS r
    USING dropped AS d
    WHERE d.kind = 'r' AND r.key = d.key
),
noted AS (
    INSERT INTO aggregation.ledger_dropped AS n (partition, counted, reversed)
    SELECT
        partition,
        count(*) FILTER (WHERE kind <> 'r'),
        count(*) FILTER (WHERE kind = 'r')
    FROM dropped
    GROUP BY partition
    ON CONFLICT (partition) DO UPDATE
    SET counted = n.counted + excluded.counted,
        reversed = n.reversed + excluded.reversed
)
SELECT count(*) FROM dropped

-- name: read_oldest_row
-- Log time of the oldest row, for the metrics.
SELECT min(logged_at) FROM aggregation.ledger

-- name: add_to_totals
-- Adds a batch's nets to the daily totals and returns the keys that came to nothing.
-- $1 series, $2 days, $3 counts, $4 amounts.
WITH added AS (
    INSERT INTO aggregation.daily_total AS t (series_id, day, count, amount)
    SELECT * FROM unnest($1::integer[], $2::date[], $3::numeric[], $4::numeric[])
    ON CONFLICT (series_id, day) DO UPDATE
    SET count = t.count + excluded.count, amount = t.amount + excluded.amount
    RETURNING series_id, day, count, amount
)
SELECT series_id, day FROM added WHERE count = 0 AND amount = 0

-- name: drop_zero_totals
-- Removes totals that came to nothing, so that a rebuild is equal byte for byte.
-- $1 series, $2 days.
DELETE FROM aggregation.daily_total AS t
USING unnest($1::integer[], $2::date[]) AS b (series_id, day)
WHERE t.series_id = b.series_id AND t.day = b.day AND t.count = 0 AND t.amount = 0

-- name: add_to_carried
-- Adds what came late to the levels carried forward since; a statement of the same or a
-- later day has replaced its count. $1 series, $2 days, $3 counts, $4 amounts, $5 the
-- first of the days, so that no earlier carry is looked at.
INSERT INTO aggregation.carried_level AS k (day, series_id, count, amount)
SELECT
    c.day, b.series_id,
    sum(CASE WHEN b.stated_on <= c.day THEN 0 ELSE b.count END), sum(b.amount)
FROM (
    SELECT d.series_id, d.day, d.count, d.amount, (
        SELECT min(s.day)
        FROM aggregation.series AS p
        JOIN aggregation.statement AS s
            USING (indicator, agency, locality, valid_from)
        WHERE p.series_id = d.series_id AND s.day >= d.day
    ) AS stated_on
    FROM unnest($1::integer[], $2::date[], $3::numeric[], $4::numeric[])
        AS d (series_id, day, count, amount)
) AS b
JOIN aggregation.carry AS c ON c.day >= b.day AND c.day >= $5
GROUP BY c.day, b.series_id
ON CONFLICT (day, series_id) DO UPDATE
SET count = k.count + excluded.count, amount = k.amount + excluded.amount

-- name: read_carries
-- Days carried forward from a day on, each with the one before it; in order. $1 day.
SELECT c.day, (SELECT max(b.day) FROM aggregation.carry AS b WHERE b.day < c.day) AS base
FROM aggregation.carry AS c
WHERE c.day >= $1
ORDER BY c.day

-- name: drop_carried
-- Forgets levels carried forward from a day on, of series whose statements changed.
-- $1 day, $2 series.
DELETE FROM aggregation.carried_level
WHERE day IN (SELECT c.day FROM aggregation.carry AS c WHERE c.day >= $1)
    AND series_id = ANY($2::integer[])

-- name: carry_levels
-- Carries levels forward to the end of a day. What was carried before counts as an
-- effect on that day, which a later statement replaces like any other; the statement
-- itself has no day, so nothing replaces it. $1 the day, $2 the one carried before it or
-- null, $3 the only series to carry or null for all.
WITH stated AS (
    SELECT DISTINCT ON (s.indicator, s.agency, s.locality, s.valid_from)
        p.series_id, s.day, s.level
    FROM aggregation.statement AS s
    JOIN aggregation.series AS p USING (indicator, agency, locality, valid_from)
    WHERE s.day > coalesce($2::date, '-infinity') AND s.day <= $1::date
    ORDER BY
        s.indicator, s.agency, s.locality, s.valid_from,
        s.day DESC, s.occurred_at DESC,
        s.source COLLATE "C" DESC, s.id COLLATE "C" DESC
)
INSERT INTO aggregation.carried_level (day, series_id, count, amount)
SELECT
    $1::date, e.series_id,
    sum(CASE WHEN e.day <= s.day THEN 0 ELSE e.count END), sum(e.amount)
FROM (
    SELECT k.series_id, k.day, k.count, k.amount
    FROM aggregation.carried_level AS k
    WHERE k.day = $2::date
    UNION ALL
    SELECT t.series_id, t.day, t.count, t.amount
    FROM aggregation.daily_total AS t
    WHERE t.day > coalesce($2::date, '-infinity') AND t.day <= $1::date
    UNION ALL
    SELECT o.series_id, NULL, o.level, 0
    FROM stated AS o
) AS e
LEFT JOIN stated AS s USING (series_id)
WHERE $3::integer[] IS NULL OR e.series_id = ANY($3::integer[])
GROUP BY e.series_id

-- name: read_carry_state
-- First and last day that anything is counted or stated on, and the last one carried
-- forward. A day beyond the log's own time is not taken for the last.
SELECT
    least(
        (SELECT min(t.day) FROM aggregation.daily_total AS t),
        (SELECT min(s.day) FROM aggregation.statement AS s)
    ) AS first,
    least(
        greatest(
            (SELECT max(t.day) FROM aggregation.daily_total AS t),
            (SELECT max(s.day) FROM aggregation.statement AS s)
        ),
        (SELECT max(p.last_logged_at AT TIME ZONE 'UTC')::date + 1
            FROM aggregation.progress AS p)
    ) AS last,
    (SELECT max(c.day) FROM aggregation.carry AS c) AS carried

-- name: limit_lock_wait
-- How long this transaction waits for each lock. $1 a duration.
SELECT set_config('lock_timeout', $1, true)

-- name: hold_writers
-- Has writers wait before their first look at a partition, once those at work are
-- through; readers go on.
LOCK TABLE aggregation.progress IN EXCLUSIVE MODE

-- name: note_carry
-- Notes that levels at the end of a day are carried forward. $1 day.
INSERT INTO aggregation.carry (day) VALUES ($1)

-- name: drop_carry
-- Forgets that levels of a day were carried forward. $1 day.
DELETE FROM aggregation.carry WHERE day = $1

-- name: drop_carried_day
-- Forgets the levels of such a day. $1 day.
DELETE FROM aggregation.carried_level WHERE day = $1

-- name: note_changes
-- Notes totals of a batch that are to be published. $1 kind, $2 partition, $3 series,
-- $4 days, of one key each.
INSERT INTO aggregation.outbox_change (partition, keys, kind, series_ids, days)
VALUES ($2, cardinality($3::integer[]), $1::"char", $3::integer[], $4::date[])

-- name: drop_statements
-- Removes voided statements. $1 sources, $2 ids, $3 instants.
DELETE FROM aggregation.statement AS s
USING unnest($1::text[], $2::text[], $3::timestamptz[]) AS b (source, id, occurred_at)
WHERE s.source = b.source AND s.id = b.id AND s.occurred_at = b.occurred_at

-- name: drop_controls
-- Removes voided controls. $1 sources, $2 ids, $3 instants.
DELETE FROM aggregation.control AS c
USING unnest($1::text[], $2::text[], $3::timestamptz[]) AS b (source, id, occurred_at)
WHERE c.source = b.source AND c.id = b.id AND c.occurred_at = b.occurred_at

-- name: note_reports
-- Keeps when an agency last reported an indicator. $1 agencies, $2 indicators,
-- $3 log times.
INSERT INTO aggregation.last_report AS r (agency, indicator, logged_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
ON CONFLICT (agency, indicator) DO UPDATE
SET logged_at = greatest(r.logged_at, excluded.logged_at)

-- name: note_rejections
-- Keeps the latest rejection of each agency's source and id, for receipts. Each (agency,
-- source, id) once: $1 agencies, $2 sources, $3 ids, $4 partitions, $5 offsets, $6 log
-- times, $7 codes, $8 details. An agency has one partition, so each row has one writer.
INSERT INTO aggregation.rejection (
    source_id_hash, agency, source, id, partition, log_offset, logged_at, code, detail
)
SELECT
    reporting.source_id_hash(b.source, b.id), b.agency, b.source, b.id, b.partition,
    b.log_offset, b.logged_at, b.code, b.detail
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::integer[], $5::bigint[], $6::timestamptz[],
    $7::text[], $8::text[]
) AS b (agency, source, id, partition, log_offset, logged_at, code, detail)
ON CONFLICT (source_id_hash, agency) DO UPDATE SET
    partition = excluded.partition,
    log_offset = excluded.log_offset,
    logged_at = excluded.logged_at,
    code = excluded.code,
    detail = excluded.detail

-- name: forget_rejections
-- Forgets old rejections, those that the ledger, too, would have forgotten. $1
-- partitions, $2 most rows of each.
DELETE FROM aggregation.rejection AS r
USING unnest($1::integer[]) AS b (partition)
CROSS JOIN LATERAL (
    SELECT o.source_id_hash, o.agency
    FROM aggregation.rejection AS o
    JOIN aggregation.progress AS p ON p.partition = o.partition
    WHERE o.partition = b.partition AND o.logged_at < p.kept_since
    ORDER BY o.logged_at
    LIMIT $2
) AS old
WHERE r.source_id_hash = old.source_id_hash AND r.agency = old.agency

-- name: read_outbox_rejected
-- Rejected records still to be published. $1 partitions, $2 most rows.
SELECT partition, log_offset, code, detail, logged_at, record_key, record_value
FROM aggregation.outbox_rejected
WHERE partition = ANY($1::integer[])
ORDER BY partition, log_offset
LIMIT $2

-- name: drop_outbox_rejected
-- Forgets rejected records that are durable in uptake.rejected. $1 partitions,
-- $2 offsets.
DELETE FROM aggregation.outbox_rejected AS o
USING unnest($1::integer[], $2::bigint[]) AS b (partition, log_offset)
WHERE o.partition = b.partition AND o.log_offset = b.log_offset

-- name: pick_changes
-- The oldest changes to publish, as many as fit. $1 partitions, $2 most changes, $3 how
-- many keys are enough; the first change fits always.
SELECT change_id, keys
FROM (
    SELECT change_id, keys, sum(keys) OVER (ORDER BY change_id) - keys AS before
    FROM (
        SELECT change_id, keys FROM aggregation.outbox_change
        WHERE partition = ANY($1::integer[])
        ORDER BY change_id
        LIMIT $2
    ) AS oldest
) AS counted
WHERE before < $3
ORDER BY change_id

-- name: read_changed_totals
-- Totals that changed, each once, in key order, with the values that they have now and
-- the next offsets of their partitions now: one snapshot, so the two belong together.
-- $1 changes, $2 most rows, $3 to $6 the key after which to go on (partition, kind,
-- series, day).
SELECT
    o.kind, p.indicator, p.agency, p.locality, p.valid_from, o.series_id, o.day,
    o.partition, g.next_offset AS revision,
    coalesce(d.count, 0) AS count,
    coalesce(d.amount, 0) AS amount,
    s.level,
    x.claimed,
    r.logged_at
FROM (
    SELECT DISTINCT c.partition, c.kind, k.series_id, k.day
    FROM aggregation.outbox_change AS c
    CROSS JOIN LATERAL unnest(c.series_ids, c.days) AS k (series_id, day)
    WHERE c.change_id = ANY($1::bigint[])
        AND (c.partition, c.kind, k.series_id, k.day)
            > ($3::integer, $4::"char", $5::integer, $6::date)
    ORDER BY c.partition, c.kind, k.series_id, k.day
    LIMIT $2
) AS o
JOIN aggregation.series AS p USING (series_id)
JOIN aggregation.progress AS g ON g.partition = o.partition
LEFT JOIN aggregation.daily_total AS d
    ON o.kind = 'd' AND d.series_id = o.series_id AND d.day = o.day
LEFT JOIN LATERAL (
    SELECT t.level
    FROM aggregation.statement AS t
    WHERE o.kind = 's'
        AND (t.indicator, t.agency, t.locality, t.valid_from, t.day)
            = (p.indicator, p.agency, p.locality, p.valid_from, o.day)
    ORDER BY t.occurred_at DESC, t.source COLLATE "C" DESC, t.id COLLATE "C" DESC
    LIMIT 1
) AS s ON true
LEFT JOIN LATERAL (
    SELECT t.claimed
    FROM aggregation.control AS t
    WHERE o.kind = 'k'
        AND (t.indicator, t.agency, t.day) = (p.indicator, p.agency, o.day)
    ORDER BY t.occurred_at DESC, t.source COLLATE "C" DESC, t.id COLLATE "C" DESC
    LIMIT 1
) AS x ON true
LEFT JOIN aggregation.last_report AS r
    ON o.kind = 'l' AND (r.agency, r.indicator) = (p.agency, p.indicator)
ORDER BY o.partition, o.kind, o.series_id, o.day

-- name: drop_changes
-- Forgets changes whose totals are durable in uptake.totals. $1 changes.
DELETE FROM aggregation.outbox_change WHERE change_id = ANY($1::bigint[])

-- name: note_watermarks
-- Notes up to which log time partitions are applied. $1 partitions, $2 instants.
INSERT INTO aggregation.watermark AS w (partition, complete_up_to)
SELECT * FROM unnest($1::integer[], $2::timestamptz[])
ON CONFLICT (partition) DO UPDATE
SET complete_up_to = greatest(w.complete_up_to, excluded.complete_up_to)

-- name: read_tree_digest
-- Which tree the views have.
SELECT digest FROM aggregation.tree_version

-- name: lock_tree
-- One writer of the tree at a time, whatever the number of replicas.
SELECT pg_advisory_xact_lock(hashtext('aggregation.locality'))

-- name: clear_tree
-- Empties the tree before it is loaded anew, in the same transaction. DELETE, because
-- a reader with an older snapshot would see a truncated table as empty.
DELETE FROM aggregation.locality

-- name: clear_tree_above
-- The same for what lies above what.
DELETE FROM aggregation.locality_above

-- name: note_tree
-- Notes which tree the views have. $1 digest.
INSERT INTO aggregation.tree_version (digest) VALUES ($1)
ON CONFLICT (only_one) DO UPDATE SET digest = excluded.digest

-- name: read_levels
-- Levels of the nation and the provinces, for the metrics.
SELECT indicator, locality, count
FROM reporting.running_total
WHERE kind IN ('nation', 'province')

-- name: read_last_reports
-- When each agency last reported anything, for the metrics.
SELECT agency, max(logged_at) AS logged_at
FROM aggregation.last_report
GROUP BY agency
