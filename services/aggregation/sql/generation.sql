-- Queries of `uptake rebuild`: the next generation is made, compared and switched to.
-- Those named write_* return statements, which the caller carries out in their order;
-- so the tables' shape stands in the migrations alone.

-- name: hold_rebuild
-- One rebuild at a time; held until the session ends.
SELECT pg_advisory_lock(hashtextextended('aggregation.rebuild', 0))

-- name: notice_our_end
-- Has the server give up a statement of this session soon after we are gone, and with
-- it every lock.
SELECT set_config('client_connection_check_interval', '1s', false)

-- name: limit_lock_wait
-- How long this transaction waits for each lock. $1 a duration.
SELECT set_config('lock_timeout', $1, true)

-- name: name_everything
-- Has this transaction's definitions name every schema.
SELECT set_config('search_path', 'pg_catalog', true)

-- name: identify_progress
-- Which table a generation's progress rows are in, or null. $1 schema.
SELECT to_regclass(format('%I.progress', $1::text))::oid

-- name: read_stands
-- Where the generation that serves stands.
SELECT partition, next_offset, last_record_hash, last_logged_at,
    counted, duplicates, reversed, rejected
FROM aggregation.progress
ORDER BY partition

-- name: fence
-- Has writers wait before their first look at a partition; readers go on.
LOCK TABLE aggregation.progress IN EXCLUSIVE MODE

-- name: describe_shape
-- A generation's tables in words, equal for equal tables. $1 schema, $2 tables.
SELECT c.relname AS name,
    concat_ws(
        '; ',
        c.relkind,
        c.reloptions,
        (
            SELECT string_agg(
                concat_ws(
                    ' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                    pg_get_expr(d.adbin, d.adrelid)
                ),
                ', ' ORDER BY a.attnum
            )
            FROM pg_attribute AS a
            LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ),
        (
            SELECT string_agg(
                concat_ws(' ', k.conname, pg_get_constraintdef(k.oid)),
                ', ' ORDER BY k.conname
            )
            FROM pg_constraint AS k
            WHERE k.conrelid = c.oid
        ),
        (
            SELECT string_agg(
                replace(
                    pg_get_indexdef(i.indexrelid), format(' ON %I.', $1::text), ' ON '
                ),
                ', ' ORDER BY i.indexrelid::regclass::text
            )
            FROM pg_index AS i
            WHERE i.indrelid = c.oid
        )
    ) AS shape
FROM pg_class AS c
WHERE c.relnamespace = to_regnamespace($1::text) AND c.relname = ANY($2::text[])
ORDER BY c.relname

-- name: write_creation
-- Tables like those that serve, with every name the same. $1 their schema, $2 the new
-- ones' schema, $3 tables.
WITH served AS (
    SELECT c.oid, c.relname, c.reloptions
    FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace($1::text) AND c.relname = ANY($3::text[])
)
SELECT statement FROM (
    SELECT 1, relname, '',
        format(
            'CREATE TABLE %I.%I (LIKE %I.%I INCLUDING ALL EXCLUDING INDEXES)%s',
            $2::text, relname, $1::text, relname,
            ' WITH (' || array_to_string(reloptions, ', ') || ')'
        )
    FROM served
    UNION ALL
    -- Copied along with the table, they would get names of their own.
    SELECT 2, s.relname, k.conname,
        format(
            'ALTER TABLE %I.%I ADD CONSTRAINT %I %s',
            $2::text, s.relname, k.conname, pg_get_constraintdef(k.oid)
        )
    FROM served AS s
    JOIN pg_constraint AS k ON k.conrelid = s.oid AND k.contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT 3, s.relname, i.indexrelid::regclass::text,
        replace(
            pg_get_indexdef(i.indexrelid),
            format(' ON %I.%I ', $1::text, s.relname),
            format(' ON %I.%I ', $2::text, s.relname)
        )
    FROM served AS s
    JOIN pg_index AS i ON i.indrelid = s.oid
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint AS k
        WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
    )
) AS written (step, relname, name, statement)
ORDER BY step, relname, name

-- name: write_removal
-- Removes the tables of a generation, as many as there are. $1 schema.
SELECT format('DROP TABLE %I.%I', $1::text, relname)
FROM pg_class
WHERE relnamespace = to_regnamespace($1::text) AND relkind IN ('r', 'p')

-- name: write_statistics
-- Has the planner know the tables before they serve. $1 schema, $2 tables.
SELECT format('ANALYZE %I.%I', $1::text, name) FROM unnest($2::text[]) AS name

-- name: write_views
-- The views that rest on tables, as they are. A view follows its tables to another
-- schema; made again, it finds those that bear the names then, and keeps its rights.
-- $1 schema, $2 tables.
SELECT format('%I.%I', v.relnamespace::regnamespace, v.relname) AS name,
    format(
        'CREATE OR REPLACE VIEW %I.%I%s AS %s',
        v.relnamespace::regnamespace, v.relname,
        ' WITH (' || array_to_string(v.reloptions, ', ') || ')',
        pg_get_viewdef(v.oid)
    ) AS statement
FROM pg_class AS v
WHERE v.relkind = 'v' AND v.oid IN (
    SELECT r.ev_class
    FROM pg_rewrite AS r
    JOIN pg_depend AS d
        ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class AS c ON c.oid = d.refobjid
    WHERE c.relnamespace = to_regnamespace($1::text) AND c.relname = ANY($2::text[])
)
ORDER BY name

-- name: write_locks
-- Keeps readers off for the moment of the switch. $1 views, $2 schema, $3 tables.
SELECT format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', string_agg(name, ', '))
FROM (
    SELECT view FROM unnest($1::text[]) AS view
    UNION ALL
    SELECT format('%I.%I', $2::text, tab) FROM unnest($3::text[]) AS tab
) AS locked (name)

-- name: write_moves
-- Moves tables to another schema. $1 from, $2 to, $3 tables.
SELECT format('ALTER TABLE %I.%I SET SCHEMA %I', $1::text, name, $2::text)
FROM unnest($3::text[]) AS name

-- name: compare_generations
-- Rows that the two generations do not have alike, byte for byte. $1 most rows. Ledger
-- rows come and go with age, and since when they are kept is each generation's own:
-- after UPTAKE_LEDGER_DAYS was raised, the next one reaches further back.
WITH differing AS (
    SELECT
        'daily_total',
        concat_ws(' ', s.indicator, s.agency, s.locality, s.valid_from, day),
        k.count || ' ' || k.amount,
        r.count || ' ' || r.amount
    FROM aggregation.daily_total AS k
    FULL JOIN aggregation_next.daily_total AS r USING (series_id, day)
    LEFT JOIN aggregation.series AS s USING (series_id)
    WHERE (k.count::text, k.amount::text)
        IS DISTINCT FROM (r.count::text, r.amount::text)
    UNION ALL
    -- Where both carried levels forward. No row and one of zeros are the same level:
    -- the one carried before a reversal came stands as zeros.
    SELECT
        'carried_level',
        concat_ws(' ', s.indicator, s.agency, s.locality, s.valid_from, day),
        k.count || ' ' || k.amount,
        r.count || ' ' || r.amount
    FROM (
        SELECT day FROM aggregation.carry
        INTERSECT
        SELECT day FROM aggregation_next.carry
    ) AS c
    JOIN (
        aggregation.carried_level AS k
        FULL JOIN aggregation_next.carried_level AS r USING (day, series_id)
    ) USING (day)
    LEFT JOIN aggregation.series AS s USING (series_id)
    WHERE (coalesce(k.count, 0), coalesce(k.amount, 0))
        <> (coalesce(r.count, 0), coalesce(r.amount, 0))
    UNION ALL
    SELECT 'statement', concat_ws(' ', source, id), k::text, r::text
    FROM aggregation.statement AS k
    FULL JOIN aggregation_next.statement AS r USING (source, id, occurred_at)
    WHERE k::text IS DISTINCT FROM r::text
    UNION ALL
    SELECT 'control', concat_ws(' ', source, id), k::text, r::text
    FROM aggregation.control AS k
    FULL JOIN aggregation_next.control AS r USING (source, id, occurred_at)
    WHERE k::text IS DISTINCT FROM r::text
    UNION ALL
    SELECT 'last_report', concat_ws(' ', agency, indicator), k::text, r::text
    FROM aggregation.last_report AS k
    FULL JOIN aggregation_next.last_report AS r USING (agency, indicator)
    WHERE k::text IS DISTINCT FROM r::text
    UNION ALL
    SELECT 'progress', 'partition ' || partition, k.stand, r.stand
    FROM (
        SELECT partition, (to_jsonb(p) - 'kept_since')::text AS stand
        FROM aggregation.progress AS p
    ) AS k
    FULL JOIN (
        SELECT partition, (to_jsonb(p) - 'kept_since')::text AS stand
        FROM aggregation_next.progress AS p
    ) AS r USING (partition)
    WHERE k.stand IS DISTINCT FROM r.stand
)
SELECT what, key, kept, rebuilt, count(*) OVER () AS differing
FROM differing AS d (what, key, kept, rebuilt)
ORDER BY what, key
LIMIT $1

-- name: read_agencies
-- Whose totals there are.
SELECT DISTINCT agency FROM aggregation.series ORDER BY agency

-- name: note_differing
-- Notes what is to be published again, since the next generation has it otherwise.
-- $1 agencies, $2 their partitions, $3 most keys of a change.
INSERT INTO aggregation.outbox_change (partition, keys, kind, series_ids, days)
SELECT partition, count(*), kind::"char", array_agg(series_id), array_agg(day)
FROM (
    SELECT
        b.partition, d.kind, d.series_id, d.day,
        (row_number() OVER (PARTITION BY b.partition, d.kind) - 1) / $3::integer AS part
    FROM (
        SELECT 'd', series_id, day
        FROM aggregation.daily_total AS k
        FULL JOIN aggregation_next.daily_total AS r USING (series_id, day)
        WHERE (k.count, k.amount) IS DISTINCT FROM (r.count, r.amount)
        UNION
        SELECT 's', s.series_id, t.day
        FROM aggregation.statement AS k
        FULL JOIN aggregation_next.statement AS r USING (source, id, occurred_at)
        CROSS JOIN LATERAL (
            VALUES
                (k.indicator, k.agency, k.locality, k.valid_from, k.day),
                (r.indicator, r.agency, r.locality, r.valid_from, r.day)
        ) AS t (indicator, agency, locality, valid_from, day)
        JOIN aggregation.series AS s
            ON (s.indicator, s.agency, s.locality, s.valid_from)
                = (t.indicator, t.agency, t.locality, t.valid_from)
        WHERE k::text IS DISTINCT FROM r::text
        UNION
        SELECT 'k', s.series_id, t.day
        FROM aggregation.control AS k
        FULL JOIN aggregation_next.control AS r USING (source, id, occurred_at)
        CROSS JOIN LATERAL (
            VALUES (k.indicator, k.agency, k.day), (r.indicator, r.agency, r.day)
        ) AS t (indicator, agency, day)
        JOIN aggregation.series AS s
            ON (s.indicator, s.agency) = (t.indicator, t.agency)
        WHERE k::text IS DISTINCT FROM r::text AND s.locality IS NULL
        UNION
        SELECT 'l', s.series_id, '-infinity'::date
        FROM aggregation.last_report AS k
        FULL JOIN aggregation_next.last_report AS r USING (agency, indicator)
        JOIN aggregation.series AS s USING (agency, indicator)
        WHERE k::text IS DISTINCT FROM r::text AND s.locality IS NULL
    ) AS d (kind, series_id, day)
    JOIN aggregation.series AS s USING (series_id)
    JOIN unnest($1::text[], $2::integer[]) AS b (agency, partition) USING (agency)
) AS parts
GROUP BY partition, kind, part
