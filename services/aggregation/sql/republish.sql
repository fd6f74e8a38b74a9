-- Queries of `uptake republish`: all totals are noted in the outbox once more. The
-- note_* queries note a page in the order of the table's key and return where it ends
-- and how many rows it had; none at the end. What comes behind a page's end meanwhile
-- is noted by the commit that makes it.

-- name: read_agencies
-- Whose totals there are.
SELECT DISTINCT agency FROM aggregation.series ORDER BY agency

-- name: count_totals
-- How many rows the pages will have.
SELECT
    (SELECT count(*) FROM aggregation.daily_total)
    + (SELECT count(*) FROM aggregation.statement)
    + (SELECT count(*) FROM aggregation.control)
    + (SELECT count(*) FROM aggregation.last_report)

-- name: note_days
-- A page of daily totals. $1, $2 day and series after which it begins, $3 most rows,
-- $4 agencies, $5 their partitions.
WITH page AS (
    SELECT series_id, day FROM aggregation.daily_total
    WHERE (day, series_id) > ($1::date, $2::integer)
    ORDER BY day, series_id
    LIMIT $3
),
noted AS (
    INSERT INTO aggregation.outbox_change (partition, keys, kind, series_ids, days)
    SELECT b.partition, count(*), 'd', array_agg(page.series_id), array_agg(page.day)
    FROM page
    JOIN aggregation.series AS s USING (series_id)
    JOIN unnest($4::text[], $5::integer[]) AS b (agency, partition) USING (agency)
    GROUP BY b.partition
)
SELECT day, series_id, count(*) OVER () AS rows FROM page
ORDER BY day DESC, series_id DESC
LIMIT 1

-- name: note_statements
-- A page of statements; those of one series and day become one message. $1 to $3
-- source, id and instant after which it begins, $4 most rows, $5 agencies, $6 their
-- partitions.
WITH page AS (
    SELECT source, id, occurred_at, indicator, agency, locality, valid_from, day
    FROM aggregation.statement
    WHERE (source, id, occurred_at) > ($1::text, $2::text, $3::timestamptz)
    ORDER BY source, id, occurred_at
    LIMIT $4
),
noted AS (
    INSERT INTO aggregation.outbox_change (partition, keys, kind, series_ids, days)
    SELECT partition, count(*), 's', array_agg(series_id), array_agg(day)
    FROM (
        SELECT DISTINCT b.partition, s.series_id, page.day
        FROM page
        JOIN aggregation.series AS s USING (indicator, agency, locality, valid_from)
        JOIN unnest($5::text[], $6::integer[]) AS b (agency, partition) USING (agency)
    ) AS days_stated
    GROUP BY partition
)
SELECT source, id, occurred_at, count(*) OVER () AS rows FROM page
ORDER BY source DESC, id DESC, occurred_at DESC
LIMIT 1

-- name: note_controls
-- A page of controls; those of one agency, indicator and day become one message. As
-- note_statements.
WITH page AS (
    SELECT source, id, occurred_at, indicator, agency, day
    FROM aggregation.control
    WHERE (source, id, occurred_at) > ($1::text, $2::text, $3::timestamptz)
    ORDER BY source, id, occurred_at
    LIMIT $4
),
noted AS (
    INSERT INTO aggregation.outbox_change (partition, keys, kind, series_ids, days)
    SELECT partition, count(*), 'k', array_agg(series_id), array_agg(day)
    FROM (
        SELECT DISTINCT b.partition, s.series_id, page.day
        FROM page
        JOIN aggregation.series AS s USING (indicator, agency)
        JOIN unnest($5::text[], $6::integer[]) AS b (agency, partition) USING (agency)
        WHERE s.locality IS NULL
    ) AS days_claimed
    GROUP BY partition
)
SELECT source, id, occurred_at, count(*) OVER () AS rows FROM page
ORDER BY source DESC, id DESC, occurred_at DESC
LIMIT 1

-- name: note_reports
-- A page of last reports. $1, $2 agency and indicator after which it begins, the rest
-- as for note_days.
WITH page AS (
    SELECT agency, indicator FROM aggregation.last_report
    WHERE (agency, indicator) > ($1::text, $2::text)
    ORDER BY agency, indicator
    LIMIT $3
),
noted AS (
    INSERT INTO aggregation.outbox_change (partition, keys, kind, series_ids, days)
    SELECT
        b.partition, count(*), 'l', array_agg(s.series_id),
        array_agg('-infinity'::date)
    FROM page
    JOIN aggregation.series AS s USING (agency, indicator)
    JOIN unnest($4::text[], $5::integer[]) AS b (agency, partition) USING (agency)
    WHERE s.locality IS NULL
    GROUP BY b.partition
)
SELECT agency, indicator, count(*) OVER () AS rows FROM page
ORDER BY agency DESC, indicator DESC
LIMIT 1

-- name: read_end
-- The last change that is noted.
SELECT coalesce(max(change_id), 0) FROM aggregation.outbox_change

-- name: count_waiting
-- How many totals wait to be published, in at most $1 changes.
SELECT coalesce(sum(keys), 0)
FROM (SELECT keys FROM aggregation.outbox_change LIMIT $1) AS waiting

-- name: count_left
-- How many of them were noted up to change $1.
SELECT coalesce(sum(keys), 0) FROM aggregation.outbox_change WHERE change_id <= $1
