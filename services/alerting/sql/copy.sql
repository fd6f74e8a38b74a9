-- The copy of uptake.totals and the sums kept with it.
--
-- A higher revision replaces, a lower one never; of equal ones that which was logged
-- later does, since a rebuild mends a total at the revision that it has. What is
-- applied is always in log order and never behind the positions, so a record that is
-- read again turns nothing back. Of one batch, the last row of the highest revision
-- counts.

-- name: add_positions
-- Know every partition ($1) of the topic.
INSERT INTO alerting.position (partition)
SELECT unnest($1::integer[])
ON CONFLICT DO NOTHING

-- name: read_positions
-- Where to go on in each partition.
SELECT partition, next_offset, last_record_hash FROM alerting.position
ORDER BY partition

-- name: lock_positions
-- Become the one writer of the copy until the transaction ends.
SELECT partition, next_offset FROM alerting.position ORDER BY partition FOR UPDATE

-- name: save_positions
-- Partitions $1 have been copied up to offsets $2; $3 are the hashes of the last
-- records.
UPDATE alerting.position AS p
SET next_offset = n.next_offset, last_record_hash = n.last_record_hash
FROM unnest($1::integer[], $2::bigint[], $3::bytea[])
    AS n (partition, next_offset, last_record_hash)
WHERE p.partition = n.partition

-- name: save_caught_up
-- The copy holds all that partitions $1 held up to offsets $2, where they ended the
-- times $3 ago. A copy that was set back since does not count. Returns the partitions
-- that had never been caught up with, or not for longer than $4.
WITH before AS (
    SELECT p.partition, p.caught_up_at, clock_timestamp() - n.age AS reached_at
    FROM alerting.position AS p
    JOIN unnest($1::integer[], $2::bigint[], $3::interval[])
        AS n (partition, log_end, age)
        ON p.partition = n.partition AND p.next_offset >= n.log_end
    ORDER BY p.partition
    FOR UPDATE OF p
),
written AS (
    UPDATE alerting.position AS p
    SET caught_up_at = greatest(p.caught_up_at, b.reached_at)
    FROM before AS b
    WHERE p.partition = b.partition
)
SELECT partition FROM before
WHERE caught_up_at IS NULL OR caught_up_at < clock_timestamp() - $4::interval

-- name: read_stale_watermarks
-- Which of the partitions $1 had no watermark, or one older than $2.
SELECT n.partition
FROM unnest($1::integer[]) AS n (partition)
LEFT JOIN alerting.watermark AS w USING (partition)
WHERE w.applied_until IS NULL OR w.applied_until < clock_timestamp() - $2::interval

-- name: wake_unknown
-- Have what could not be judged judged again now.
UPDATE alerting.target SET next_evaluation_at = clock_timestamp()
WHERE status = 'unknown' AND next_evaluation_at > clock_timestamp()

-- name: apply_days
-- Take over effects per day, one array per column, and carry the changes into
-- series and units. Returns the units that changed.
WITH incoming AS (
    SELECT DISTINCT ON (i.indicator, i.agency, i.locality, i.valid_from, i.day) i.*
    FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::date[], $5::date[],
        $6::numeric[], $7::numeric[], $8::integer[], $9::bigint[]
    ) WITH ORDINALITY AS i (
        indicator, agency, locality, valid_from, day,
        count, amount, partition, revision, place
    )
    ORDER BY
        i.indicator, i.agency, i.locality, i.valid_from, i.day,
        i.revision DESC, i.place DESC
),
fresh AS MATERIALIZED (
    SELECT i.*, i.count - coalesce(d.count, 0) AS change
    FROM incoming AS i
    LEFT JOIN alerting.daily_total AS d
        USING (indicator, agency, locality, valid_from, day)
    WHERE
        d.revision IS NULL
        OR d.revision < i.revision
        OR (
            d.revision = i.revision
            AND (d.count, d.amount) IS DISTINCT FROM (i.count, i.amount)
        )
),
written AS (
    INSERT INTO alerting.daily_total (
        indicator, agency, locality, valid_from, day,
        count, amount, partition, revision
    )
    SELECT
        indicator, agency, locality, valid_from, day,
        count, amount, partition, revision
    FROM fresh
    ON CONFLICT (indicator, agency, locality, valid_from, day) DO UPDATE
    SET count = excluded.count, amount = excluded.amount,
        partition = excluded.partition, revision = excluded.revision
),
leaf_change AS (
    SELECT
        f.indicator, f.agency, f.locality, f.valid_from,
        coalesce(
            sum(f.change) FILTER (
                WHERE s.stated_day IS NULL OR f.day > s.stated_day
            ),
            0
        ) AS change
    FROM fresh AS f
    LEFT JOIN alerting.series AS s USING (indicator, agency, locality, valid_from)
    GROUP BY f.indicator, f.agency, f.locality, f.valid_from
),
series_written AS (
    INSERT INTO alerting.series AS s (
        indicator, agency, locality, valid_from, level
    )
    SELECT indicator, agency, locality, valid_from, change FROM leaf_change
    ON CONFLICT (indicator, locality, valid_from, agency) DO UPDATE
    SET level = s.level + excluded.level
),
level_written AS (
    UPDATE alerting.unit AS u
    SET level = u.level + c.change
    FROM (
        SELECT unit_id, sum(change) AS change
        FROM (
            SELECT l.unit_id, f.change
            FROM leaf_change AS f
            JOIN alerting.unit_leaf AS l
                ON l.indicator = f.indicator
                AND l.leaf = f.locality
                AND l.leaf_valid_from = f.valid_from
            JOIN alerting.unit AS s ON s.unit_id = l.unit_id AND s.since IS NULL
            UNION ALL
            SELECT l.unit_id, f.change
            FROM fresh AS f
            JOIN alerting.unit_leaf AS l
                ON l.indicator = f.indicator
                AND l.leaf = f.locality
                AND l.leaf_valid_from = f.valid_from
            JOIN alerting.unit AS s
                ON s.unit_id = l.unit_id AND f.day BETWEEN s.since AND s.until
        ) AS p
        GROUP BY unit_id
    ) AS c
    WHERE u.unit_id = c.unit_id
),
day_written AS (
    INSERT INTO alerting.unit_day AS u (unit_id, day, count)
    SELECT l.unit_id, f.day, sum(f.change)
    FROM fresh AS f
    JOIN alerting.unit_leaf AS l
        ON l.indicator = f.indicator
        AND l.leaf = f.locality
        AND l.leaf_valid_from = f.valid_from
    JOIN alerting.unit AS s
        ON s.unit_id = l.unit_id
        AND (s.until IS NULL OR f.day <= s.until)
    GROUP BY l.unit_id, f.day
    ON CONFLICT (unit_id, day) DO UPDATE SET count = u.count + excluded.count
    RETURNING u.unit_id
),
fed AS (
    INSERT INTO alerting.unit_partition (unit_id, partition)
    SELECT DISTINCT l.unit_id, f.partition
    FROM fresh AS f
    JOIN alerting.unit_leaf AS l
        ON l.indicator = f.indicator
        AND l.leaf = f.locality
        AND l.leaf_valid_from = f.valid_from
    ON CONFLICT DO NOTHING
)
SELECT DISTINCT unit_id FROM day_written

-- name: apply_stated
-- Take over statements, one array per column. Returns the series to restate.
WITH incoming AS (
    SELECT DISTINCT ON (i.indicator, i.agency, i.locality, i.valid_from, i.day) i.*
    FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::date[], $5::date[],
        $6::numeric[], $7::integer[], $8::bigint[]
    ) WITH ORDINALITY AS i (
        indicator, agency, locality, valid_from, day, level, partition, revision, place
    )
    ORDER BY
        i.indicator, i.agency, i.locality, i.valid_from, i.day,
        i.revision DESC, i.place DESC
),
written AS (
    INSERT INTO alerting.stated AS s (
        indicator, agency, locality, valid_from, day, level, partition, revision
    )
    SELECT
        indicator, agency, locality, valid_from, day, level, partition, revision
    FROM incoming
    ON CONFLICT (indicator, agency, locality, valid_from, day) DO UPDATE
    SET level = excluded.level, partition = excluded.partition,
        revision = excluded.revision
    WHERE
        s.revision < excluded.revision
        OR (
            s.revision = excluded.revision
            AND s.level IS DISTINCT FROM excluded.level
        )
    RETURNING s.indicator, s.agency, s.locality, s.valid_from, s.partition
),
fed AS (
    INSERT INTO alerting.unit_partition (unit_id, partition)
    SELECT DISTINCT l.unit_id, w.partition
    FROM written AS w
    JOIN alerting.unit_leaf AS l
        ON l.indicator = w.indicator
        AND l.leaf = w.locality
        AND l.leaf_valid_from = w.valid_from
    ON CONFLICT DO NOTHING
)
SELECT DISTINCT indicator, agency, locality, valid_from FROM written

-- name: restate_series
-- Compute the level of series ($1 to $4) from the copy: the statement of the
-- greatest day plus the effects of later days. Returns the units that changed.
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[])
        AS w (indicator, agency, locality, valid_from)
),
stated AS (
    SELECT DISTINCT ON (s.indicator, s.agency, s.locality, s.valid_from)
        s.indicator, s.agency, s.locality, s.valid_from, s.day, s.level
    FROM alerting.stated AS s
    JOIN wanted AS w USING (indicator, agency, locality, valid_from)
    WHERE s.level IS NOT NULL
    ORDER BY s.indicator, s.agency, s.locality, s.valid_from, s.day DESC
),
restated AS MATERIALIZED (
    SELECT
        w.indicator, w.agency, w.locality, w.valid_from, s.day AS stated_day,
        coalesce(s.level, 0) + coalesce(e.count, 0) AS level,
        coalesce(s.level, 0) + coalesce(e.count, 0) - coalesce(o.level, 0) AS change
    FROM wanted AS w
    LEFT JOIN stated AS s USING (indicator, agency, locality, valid_from)
    LEFT JOIN alerting.series AS o USING (indicator, agency, locality, valid_from)
    CROSS JOIN LATERAL (
        SELECT sum(d.count) AS count
        FROM alerting.daily_total AS d
        WHERE d.indicator = w.indicator AND d.agency = w.agency
            AND d.locality = w.locality AND d.valid_from = w.valid_from
            AND (s.day IS NULL OR d.day > s.day)
    ) AS e
),
written AS (
    INSERT INTO alerting.series (
        indicator, agency, locality, valid_from, stated_day, level
    )
    SELECT indicator, agency, locality, valid_from, stated_day, level FROM restated
    ON CONFLICT (indicator, locality, valid_from, agency) DO UPDATE
    SET stated_day = excluded.stated_day, level = excluded.level
)
UPDATE alerting.unit AS u
SET level = u.level + c.change
FROM (
    SELECT l.unit_id, sum(r.change) AS change
    FROM restated AS r
    JOIN alerting.unit_leaf AS l
        ON l.indicator = r.indicator
        AND l.leaf = r.locality
        AND l.leaf_valid_from = r.valid_from
    GROUP BY l.unit_id
) AS c
WHERE u.unit_id = c.unit_id AND u.since IS NULL
RETURNING u.unit_id

-- name: apply_reports
-- Take over when agencies last reported.
INSERT INTO alerting.last_report AS r (agency, indicator, reported_at, revision)
SELECT DISTINCT ON (i.agency, i.indicator)
    i.agency, i.indicator, i.reported_at, i.revision
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[])
    WITH ORDINALITY AS i (agency, indicator, reported_at, revision, place)
ORDER BY i.agency, i.indicator, i.revision DESC, i.place DESC
ON CONFLICT (agency, indicator) DO UPDATE
SET reported_at = excluded.reported_at, revision = excluded.revision
WHERE
    r.revision < excluded.revision
    OR (r.revision = excluded.revision AND r.reported_at <> excluded.reported_at)

-- name: apply_watermarks
-- Take over how far the partitions of uptake.events have been applied. An idle
-- partition's watermark moves while its revision stands.
INSERT INTO alerting.watermark AS w (partition, applied_until, revision)
SELECT DISTINCT ON (i.partition) i.*
FROM unnest($1::integer[], $2::timestamptz[], $3::bigint[])
    AS i (partition, applied_until, revision)
ORDER BY i.partition, i.revision DESC, i.applied_until DESC
ON CONFLICT (partition) DO UPDATE
SET applied_until = excluded.applied_until, revision = excluded.revision
WHERE (w.revision, w.applied_until) < (excluded.revision, excluded.applied_until)

-- name: keep_targets
-- Keep looks away from the targets of units $1, as far as none has them, until the
-- transaction ends.
SELECT FROM alerting.target
WHERE unit_id = ANY($1::bigint[])
FOR NO KEY UPDATE SKIP LOCKED

-- name: mark_targets
-- Have the targets of units $1 evaluated, at most once a second each. All of them are
-- locked, also those that are due already: a look that has one of them may have read
-- before the change that it is marked for, and would say when to look next without
-- knowing of it. Behind the lock that look is over, and until ours is over no other one
-- begins.
UPDATE alerting.target AS t
SET calm_until = '-infinity',
    next_evaluation_at = least(h.next_evaluation_at, h.soonest)
FROM (
    -- Locked in one order by everybody who waits for these locks.
    SELECT
        k.target, k.calm_until, k.next_evaluation_at,
        greatest(clock_timestamp(), k.evaluated_at + interval '1 second') AS soonest
    FROM alerting.target AS k
    WHERE k.unit_id = ANY($1::bigint[])
    ORDER BY k.target
    FOR NO KEY UPDATE
) AS h
WHERE t.target = h.target
    AND (h.calm_until > '-infinity' OR h.next_evaluation_at > h.soonest)
