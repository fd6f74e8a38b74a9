-- migrate:up

SET ROLE uptake_aggregation;

-- By day first: a level reads the few days after those carried forward, of all series.
ALTER TABLE aggregation.daily_total
    DROP CONSTRAINT daily_total_pkey,
    ADD PRIMARY KEY (day, series_id);

-- Days at whose end levels were carried forward (ADR 0012).
CREATE TABLE aggregation.carry (
    day date PRIMARY KEY
);

-- Level of each series at the end of such a day; a sum of what else is kept, so that a
-- level of any day is the one carried before it and the few days after. Every batch
-- that changes an earlier day changes these too.
CREATE TABLE aggregation.carried_level (
    day date NOT NULL,
    series_id integer NOT NULL,
    count numeric NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (day, series_id)
)
-- Room on each page for what comes late.
WITH (fillfactor = 80);

CREATE INDEX series_leaf ON aggregation.series (locality, valid_from);
CREATE INDEX statement_day ON aggregation.statement (day);

-- First and last day that anything is counted or stated on; no row without any.
CREATE VIEW reporting.covered_days AS
SELECT first_day, last_day
FROM (
    SELECT
        least(
            (SELECT min(t.day) FROM aggregation.daily_total AS t),
            (SELECT min(s.day) FROM aggregation.statement AS s)
        ) AS first_day,
        greatest(
            (SELECT max(t.day) FROM aggregation.daily_total AS t),
            (SELECT max(s.day) FROM aggregation.statement AS s)
        ) AS last_day
) AS d
WHERE first_day IS NOT NULL;

-- Carries forward what there is: every eighth day, and the last one that has settled,
-- as core/carry.py says. A day beyond the log's own time is nobody's last day.
DO $$
DECLARE
    span record;
    settled date;
    base date;
    carried date;
BEGIN
    SELECT first_day, last_day INTO span FROM reporting.covered_days;
    settled := least(
        span.last_day,
        (SELECT max(last_logged_at AT TIME ZONE 'UTC')::date + 1 FROM aggregation.progress)
    ) - 3;
    FOR carried IN
        SELECT span.first_day + n
        FROM generate_series(0, settled - span.first_day) AS n
        WHERE
            (span.first_day + n - DATE '2000-01-01') % 8 = 0
            OR span.first_day + n = settled
        ORDER BY n
    LOOP
        INSERT INTO aggregation.carried_level (day, series_id, count, amount)
        WITH stated AS (
            SELECT DISTINCT ON (s.indicator, s.agency, s.locality, s.valid_from)
                p.series_id, s.day, s.level
            FROM aggregation.statement AS s
            JOIN aggregation.series AS p
                USING (indicator, agency, locality, valid_from)
            WHERE s.day > coalesce(base, '-infinity') AND s.day <= carried
            ORDER BY
                s.indicator, s.agency, s.locality, s.valid_from,
                s.day DESC, s.occurred_at DESC,
                s.source COLLATE "C" DESC, s.id COLLATE "C" DESC
        )
        SELECT
            carried, e.series_id,
            sum(CASE WHEN e.day <= s.day THEN 0 ELSE e.count END), sum(e.amount)
        FROM (
            SELECT k.series_id, k.day, k.count, k.amount
            FROM aggregation.carried_level AS k
            WHERE k.day = base
            UNION ALL
            SELECT t.series_id, t.day, t.count, t.amount
            FROM aggregation.daily_total AS t
            WHERE t.day > coalesce(base, '-infinity') AND t.day <= carried
            UNION ALL
            SELECT o.series_id, NULL::date AS day, o.level AS count, 0 AS amount
            FROM stated AS o
        ) AS e
        LEFT JOIN stated AS s USING (series_id)
        GROUP BY e.series_id;
        INSERT INTO aggregation.carry (day) VALUES (carried);
        base := carried;
    END LOOP;
END
$$;
ANALYZE aggregation.carry;
ANALYZE aggregation.carried_level;

-- Levels of every unit, leaves and ancestors alike, at the end of every day: those
-- carried forward before it and the few days after. The condition on the day, and one
-- on `locality`, reach the tables, so that a commune reads its own rows and no more.
-- What was carried forward counts as an effect on that day, which a later statement
-- replaces like any other. Each branch joins the units by itself, so that the planner
-- takes a few rows by key for a commune and whole days for the nation.
CREATE VIEW reporting.running_total_by_day AS
SELECT
    d.day, u.indicator, u.locality, u.valid_from, l.name, l.kind, u.count, u.amount
FROM (
    SELECT
        f.first_day + n AS day,
        f.first_day,
        (SELECT max(c.day) FROM aggregation.carry AS c WHERE c.day <= f.first_day + n)
            AS base
    FROM reporting.covered_days AS f
    CROSS JOIN LATERAL generate_series(0, f.last_day - f.first_day) AS n
) AS d
CROSS JOIN LATERAL (
    WITH stated AS (
        SELECT DISTINCT ON (s.indicator, s.agency, s.locality, s.valid_from)
            p.series_id, s.day, s.level
        FROM aggregation.statement AS s
        JOIN aggregation.series AS p USING (indicator, agency, locality, valid_from)
        WHERE s.day > coalesce(d.base, '-infinity') AND s.day <= d.day
        ORDER BY
            s.indicator, s.agency, s.locality, s.valid_from,
            s.day DESC, s.occurred_at DESC,
            s.source COLLATE "C" DESC, s.id COLLATE "C" DESC
    )
    SELECT
        e.indicator, e.locality, e.valid_from,
        sum(e.count) AS count, sum(e.amount) AS amount
    FROM (
        SELECT
            p.indicator, a.code AS locality, a.valid_from,
            CASE WHEN k.day <= s.day THEN 0 ELSE k.count END AS count,
            k.amount
        FROM aggregation.locality_above AS a
        JOIN aggregation.series AS p
            ON p.locality = a.leaf AND p.valid_from = a.leaf_valid_from
        JOIN aggregation.carried_level AS k
            ON k.series_id = p.series_id AND k.day = d.base
        LEFT JOIN stated AS s ON s.series_id = p.series_id
        UNION ALL
        -- Days by name: with a range the planner would expect a third of the table.
        SELECT
            p.indicator, a.code AS locality, a.valid_from,
            CASE WHEN t.day <= s.day THEN 0 ELSE t.count END AS count,
            t.amount
        FROM aggregation.locality_above AS a
        JOIN aggregation.series AS p
            ON p.locality = a.leaf AND p.valid_from = a.leaf_valid_from
        JOIN aggregation.daily_total AS t
            ON t.series_id = p.series_id AND t.day = ANY (ARRAY(
                SELECT coalesce(d.base + 1, d.first_day) + n
                FROM generate_series(
                    0, d.day - coalesce(d.base + 1, d.first_day)
                ) AS n
            ))
        LEFT JOIN stated AS s ON s.series_id = p.series_id
        UNION ALL
        SELECT
            p.indicator, a.code AS locality, a.valid_from,
            s.level::numeric AS count, 0::numeric AS amount
        FROM aggregation.locality_above AS a
        JOIN aggregation.series AS p
            ON p.locality = a.leaf AND p.valid_from = a.leaf_valid_from
        JOIN stated AS s ON s.series_id = p.series_id
    ) AS e
    GROUP BY e.indicator, e.locality, e.valid_from
) AS u
JOIN aggregation.locality AS l ON l.code = u.locality AND l.valid_from = u.valid_from;

-- Levels of every unit with all that has been counted.
CREATE OR REPLACE VIEW reporting.running_total AS
SELECT indicator, locality, valid_from, name, kind, count, amount
FROM reporting.running_total_by_day
WHERE day = (SELECT last_day FROM reporting.covered_days);

-- The same on a day; on a day to come, what there is by now.
CREATE OR REPLACE FUNCTION reporting.running_total_on(on_day date)
RETURNS TABLE (
    indicator text,
    locality text,
    valid_from date,
    name text,
    kind text,
    count numeric,
    amount numeric
)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT
        t.indicator, t.locality, t.valid_from, t.name, t.kind, t.count, t.amount
    FROM reporting.running_total_by_day AS t
    WHERE t.day = (SELECT least(on_day, last_day) FROM reporting.covered_days)
$$;

-- Levels carried forward that are not what they were carried from: the ones before, the
-- days between and the statements of those days. Empty, or a bug.
CREATE VIEW reporting.carried_difference AS
WITH span AS (
    SELECT c.day, lag(c.day) OVER (ORDER BY c.day) AS base
    FROM aggregation.carry AS c
),
stated AS (
    SELECT DISTINCT ON (c.day, s.indicator, s.agency, s.locality, s.valid_from)
        c.day AS carried, p.series_id, s.day, s.level
    FROM span AS c
    JOIN aggregation.statement AS s
        ON s.day > coalesce(c.base, '-infinity') AND s.day <= c.day
    JOIN aggregation.series AS p USING (indicator, agency, locality, valid_from)
    ORDER BY
        c.day, s.indicator, s.agency, s.locality, s.valid_from,
        s.day DESC, s.occurred_at DESC,
        s.source COLLATE "C" DESC, s.id COLLATE "C" DESC
),
summed AS (
    SELECT
        e.carried AS day, e.series_id,
        sum(CASE WHEN e.day <= s.day THEN 0 ELSE e.count END) AS count,
        sum(e.amount) AS amount
    FROM (
        SELECT c.day AS carried, k.series_id, k.day, k.count, k.amount
        FROM span AS c
        JOIN aggregation.carried_level AS k ON k.day = c.base
        UNION ALL
        SELECT c.day, t.series_id, t.day, t.count, t.amount
        FROM span AS c
        CROSS JOIN reporting.covered_days AS f
        CROSS JOIN LATERAL generate_series(
            0, c.day - coalesce(c.base + 1, f.first_day)
        ) AS n
        JOIN aggregation.daily_total AS t
            ON t.day = coalesce(c.base + 1, f.first_day) + n
        UNION ALL
        SELECT
            o.carried, o.series_id, NULL::date AS day, o.level AS count, 0 AS amount
        FROM stated AS o
    ) AS e
    LEFT JOIN stated AS s USING (carried, series_id)
    GROUP BY e.carried, e.series_id
)
SELECT
    day, p.indicator, p.agency, p.locality, p.valid_from,
    coalesce(k.count, 0) AS carried_count,
    coalesce(k.amount, 0) AS carried_amount,
    coalesce(e.count, 0) AS summed_count,
    coalesce(e.amount, 0) AS summed_amount
FROM aggregation.carried_level AS k
FULL JOIN summed AS e USING (day, series_id)
LEFT JOIN aggregation.series AS p USING (series_id)
WHERE
    coalesce(k.count, 0) <> coalesce(e.count, 0)
    OR coalesce(k.amount, 0) <> coalesce(e.amount, 0);

GRANT SELECT ON
    reporting.covered_days,
    reporting.running_total_by_day,
    reporting.carried_difference
TO uptake_reader;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
