-- Queries of `uptake republish`: all totals are noted in the outbox once more. The
-- mark_* queries note a page in the order of the table's key and return where it ends
-- and how many rows it had; none at the end. What comes behind a page's end meanwhile
-- is noted by the commit that makes it. The caller holds the progress rows, so that
-- the revision is the partition's next offset and no writer waits in another order.

-- name: read_agencies
-- Whose totals there are.
SELECT DISTINCT agency FROM aggregation.series ORDER BY agency

-- name: count_totals
-- How many rows the pages will have.
SELECT
    (SELECT count(*) FROM aggregation.daily_total)
    + (SELECT count(*) FROM aggregation.statement)
    + (SELECT count(*) FROM aggregation.last_report)

-- name: mark_days
-- A page of daily totals. $1, $2 series and day after which it begins, $3 most rows,
-- $4 agencies, $5 their partitions.
WITH page AS (
    SELECT series_id, day FROM aggregation.daily_total
    WHERE (series_id, day) > ($1::integer, $2::date)
    ORDER BY series_id, day
    LIMIT $3
),
marked AS (
    INSERT INTO aggregation.outbox_total (kind, series_id, day, partition, revision)
    SELECT 'd', page.series_id, page.day, p.partition, p.next_offset
    FROM page
    JOIN aggregation.series AS s USING (series_id)
    JOIN unnest($4::text[], $5::integer[]) AS b (agency, partition) USING (agency)
    JOIN aggregation.progress AS p ON p.partition = b.partition
    ON CONFLICT (partition, kind, series_id, day)
    DO UPDATE SET revision = excluded.revision
)
SELECT series_id, day, count(*) OVER () AS rows FROM page
ORDER BY series_id DESC, day DESC
LIMIT 1

-- name: mark_statements
-- A page of statements; those of one series and day become one message. $1, $2 source
-- and id after which it begins, the rest as for mark_days.
WITH page AS (
    SELECT source, id, indicator, agency, locality, valid_from, day
    FROM aggregation.statement
    WHERE (source, id) > ($1::text, $2::text)
    ORDER BY source, id
    LIMIT $3
),
marked AS (
    INSERT INTO aggregation.outbox_total (kind, series_id, day, partition, revision)
    SELECT DISTINCT 's'::"char", s.series_id, page.day, p.partition, p.next_offset
    FROM page
    JOIN aggregation.series AS s USING (indicator, agency, locality, valid_from)
    JOIN unnest($4::text[], $5::integer[]) AS b (agency, partition) USING (agency)
    JOIN aggregation.progress AS p ON p.partition = b.partition
    ON CONFLICT (partition, kind, series_id, day)
    DO UPDATE SET revision = excluded.revision
)
SELECT source, id, count(*) OVER () AS rows FROM page
ORDER BY source DESC, id DESC
LIMIT 1

-- name: mark_reports
-- A page of last reports. $1, $2 agency and indicator after which it begins, the rest
-- as for mark_days.
WITH page AS (
    SELECT agency, indicator FROM aggregation.last_report
    WHERE (agency, indicator) > ($1::text, $2::text)
    ORDER BY agency, indicator
    LIMIT $3
),
marked AS (
    INSERT INTO aggregation.outbox_total (kind, series_id, day, partition, revision)
    SELECT 'l', s.series_id, '-infinity'::date, p.partition, p.next_offset
    FROM page
    JOIN aggregation.series AS s USING (agency, indicator)
    JOIN unnest($4::text[], $5::integer[]) AS b (agency, partition) USING (agency)
    JOIN aggregation.progress AS p ON p.partition = b.partition
    WHERE s.locality IS NULL
    ON CONFLICT (partition, kind, series_id, day)
    DO UPDATE SET revision = excluded.revision
)
SELECT agency, indicator, count(*) OVER () AS rows FROM page
ORDER BY agency DESC, indicator DESC
LIMIT 1

-- name: read_ends
-- Partitions and their next offsets.
SELECT partition, next_offset FROM aggregation.progress ORDER BY partition

-- name: count_waiting
-- How many totals wait to be published, counted up to $1.
SELECT count(*) FROM (SELECT FROM aggregation.outbox_total LIMIT $1) AS waiting

-- name: count_left
-- How many of them were noted before partitions $1 stood at offsets $2; what changed
-- later has a higher revision.
SELECT count(*)
FROM aggregation.outbox_total AS o
JOIN unnest($1::integer[], $2::bigint[]) AS e (partition, next_offset)
    ON o.partition = e.partition AND o.revision <= e.next_offset
