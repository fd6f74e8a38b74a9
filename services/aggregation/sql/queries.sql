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
-- not wait for each other; the caller compares the offsets. $1 partitions.
SELECT partition, next_offset
FROM aggregation.progress
WHERE partition = ANY($1::integer[])
ORDER BY partition
FOR UPDATE

-- name: advance_progress
-- The set of the compare-and-set: moves partitions on and adds the class counts; a
-- check constraint holds next_offset to their sum. $1 partitions, $2 expected and
-- $3 new next offsets, $4 hashes and $5 log times of the last records,
-- $6 counted, $7 duplicates, $8 reversed, $9 rejected.
UPDATE aggregation.progress AS p
SET next_offset = b.next_offset,
    last_record_hash = b.last_record_hash,
    last_logged_at = b.last_logged_at,
    counted = p.counted + b.counted,
    duplicates = p.duplicates + b.duplicates,
    reversed = p.reversed + b.reversed,
    rejected = p.rejected + b.rejected
FROM unnest(
    $1::integer[], $2::bigint[], $3::bigint[], $4::bytea[], $5::timestamptz[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]
) AS b (
    partition, expected_offset, next_offset, last_record_hash, last_logged_at,
    counted, duplicates, reversed, rejected
)
WHERE p.partition = b.partition AND p.next_offset = b.expected_offset

-- name: find_rows
-- Ledger rows whose (source, id) a batch names. $1 sources, $2 ids.
SELECT l.source, l.id, l.kind, l.type, l.partition, l.log_offset, l.logged_at,
    l.occurred_at, l.agency, l.indicator, l.locality, l.valid_from, l.day,
    l.count, l.amount, l.reversed_source, l.reversed_id, l.reversed_occurred_at,
    l.voided_by
FROM unnest($1::text[], $2::text[]) AS b (source, id)
JOIN aggregation.ledger AS l ON l.source = b.source AND l.id = b.id

-- name: find_waiting
-- Reversals whose original a batch may bring. $1 sources, $2 ids of originals.
SELECT l.reversed_source, l.reversed_id, l.reversed_occurred_at, l.log_offset
FROM unnest($1::text[], $2::text[]) AS b (source, id)
JOIN aggregation.ledger AS l
    ON l.reversed_source = b.source AND l.reversed_id = b.id AND l.kind = 'r'

-- name: void_rows
-- Marks older rows as voided. $1 sources, $2 ids, $3 offsets of the reversals.
UPDATE aggregation.ledger AS l
SET voided_by = b.voided_by
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS b (source, id, voided_by)
WHERE l.source = b.source AND l.id = b.id AND l.voided_by IS NULL

-- name: add_to_totals
-- Adds a batch's nets to the daily totals and returns the keys that came to nothing;
-- keys ascend. $1 indicators, $2 agencies, $3 localities, $4 valid_from, $5 days,
-- $6 counts, $7 amounts.
WITH added AS (
    INSERT INTO aggregation.daily_total AS t
        (indicator, agency, locality, valid_from, day, count, amount)
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::date[], $5::date[],
        $6::numeric[], $7::numeric[]
    )
    ON CONFLICT (indicator, agency, locality, valid_from, day) DO UPDATE
    SET count = t.count + excluded.count, amount = t.amount + excluded.amount
    RETURNING *
)
SELECT indicator, agency, locality, valid_from, day
FROM added
WHERE count = 0 AND amount = 0

-- name: drop_zero_totals
-- Removes totals that came to nothing, so that a rebuild is equal byte for byte.
-- Parameters as the first five of add_to_totals.
DELETE FROM aggregation.daily_total AS t
USING unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::date[])
    AS b (indicator, agency, locality, valid_from, day)
WHERE t.indicator = b.indicator AND t.agency = b.agency AND t.locality = b.locality
    AND t.valid_from = b.valid_from AND t.day = b.day
    AND t.count = 0 AND t.amount = 0

-- name: mark_totals
-- Notes totals that are to be published. $1 kind, $2 indicators, $3 agencies,
-- $4 localities, $5 valid_from, $6 days, $7 partitions, $8 revisions.
INSERT INTO aggregation.outbox_total AS o
    (kind, indicator, agency, locality, valid_from, day, partition, revision)
SELECT $1::"char", b.*
FROM unnest(
    $2::text[], $3::text[], $4::text[], $5::date[], $6::date[],
    $7::integer[], $8::bigint[]
) AS b
ON CONFLICT (partition, kind, indicator, agency, locality, valid_from, day)
DO UPDATE SET revision = excluded.revision

-- name: drop_statements
-- Removes voided statements. $1 sources, $2 ids.
DELETE FROM aggregation.statement AS s
USING unnest($1::text[], $2::text[]) AS b (source, id)
WHERE s.source = b.source AND s.id = b.id

-- name: drop_controls
-- Removes voided controls. $1 sources, $2 ids.
DELETE FROM aggregation.control AS c
USING unnest($1::text[], $2::text[]) AS b (source, id)
WHERE c.source = b.source AND c.id = b.id

-- name: note_reports
-- Keeps when an agency last reported an indicator. $1 agencies, $2 indicators,
-- $3 log times.
INSERT INTO aggregation.last_report AS r (agency, indicator, logged_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
ON CONFLICT (agency, indicator) DO UPDATE
SET logged_at = greatest(r.logged_at, excluded.logged_at)

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

-- name: read_outbox_totals
-- Totals that changed, with the values they have now, in key order. $1 partitions,
-- $2 most rows, $3 to $9 the key after which to go on (partition, kind, indicator,
-- agency, locality, valid_from, day); a round that pages by it meets each key once.
SELECT
    o.kind, o.indicator, o.agency, o.locality, o.valid_from, o.day,
    o.partition, o.revision,
    coalesce(d.count, 0) AS count,
    coalesce(d.amount, 0) AS amount,
    s.level,
    r.logged_at
FROM (
    SELECT * FROM aggregation.outbox_total
    WHERE partition = ANY($1::integer[])
        AND (partition, kind, indicator, agency, locality, valid_from, day)
            > ($3::integer, $4::"char", $5::text, $6::text, $7::text, $8::date, $9::date)
    ORDER BY partition, kind, indicator, agency, locality, valid_from, day
    LIMIT $2
) AS o
LEFT JOIN aggregation.daily_total AS d
    ON o.kind = 'd'
    AND (d.indicator, d.agency, d.locality, d.valid_from, d.day)
        = (o.indicator, o.agency, o.locality, o.valid_from, o.day)
LEFT JOIN LATERAL (
    SELECT t.level
    FROM aggregation.statement AS t
    WHERE o.kind = 's'
        AND (t.indicator, t.agency, t.locality, t.valid_from, t.day)
            = (o.indicator, o.agency, o.locality, o.valid_from, o.day)
    ORDER BY t.occurred_at DESC, t.source COLLATE "C" DESC, t.id COLLATE "C" DESC
    LIMIT 1
) AS s ON true
LEFT JOIN aggregation.last_report AS r
    ON o.kind = 'l' AND (r.agency, r.indicator) = (o.agency, o.indicator)
ORDER BY o.partition, o.kind, o.indicator, o.agency, o.locality, o.valid_from, o.day

-- name: drop_outbox_totals
-- Forgets totals that are published, unless they changed meanwhile. $1 kinds,
-- $2 indicators, $3 agencies, $4 localities, $5 valid_from, $6 days, $7 partitions,
-- $8 revisions.
DELETE FROM aggregation.outbox_total AS o
USING unnest(
    $1::"char"[], $2::text[], $3::text[], $4::text[], $5::date[], $6::date[],
    $7::integer[], $8::bigint[]
) AS b (kind, indicator, agency, locality, valid_from, day, partition, revision)
WHERE o.partition = b.partition AND o.kind = b.kind AND o.indicator = b.indicator
    AND o.agency = b.agency AND o.locality = b.locality
    AND o.valid_from = b.valid_from AND o.day = b.day AND o.revision = b.revision

-- name: read_tree_digest
-- Which tree the views have.
SELECT digest FROM aggregation.tree_version

-- name: lock_tree
-- One writer of the tree at a time, whatever the number of replicas.
SELECT pg_advisory_xact_lock(hashtext('aggregation.locality'))

-- name: clear_tree
-- Empties the tree before it is loaded anew, in the same transaction.
TRUNCATE aggregation.locality, aggregation.locality_above

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
