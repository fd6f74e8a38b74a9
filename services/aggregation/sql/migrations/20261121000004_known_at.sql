-- migrate:up

SET ROLE uptake_aggregation;

-- Rows stand in the order in which they were logged, so a few pages say where the rows
-- after an instant are.
CREATE INDEX ledger_logged_at ON aggregation.ledger
    USING brin (logged_at) WITH (autosummarize = on);

-- Up to which log time each partition is applied; moves also while nothing comes.
CREATE TABLE aggregation.watermark (
    partition integer PRIMARY KEY,
    complete_up_to timestamptz NOT NULL
);

-- Up to which log time everything is in the totals; null until every partition says so.
CREATE VIEW reporting.completeness AS
SELECT
    CASE WHEN count(*) = count(w.partition) THEN min(w.complete_up_to) END
        AS complete_up_to
FROM aggregation.progress AS p
LEFT JOIN aggregation.watermark AS w USING (partition)
HAVING count(*) > 0;

-- Daily totals as known at an instant of log time: what there is, without the effects
-- of rows logged later, and with those that only a later reversal voided. Exact for as
-- far back as the ledger is kept.
CREATE FUNCTION reporting.daily_total_known_at(at timestamptz)
RETURNS TABLE (
    indicator text,
    agency text,
    locality text,
    valid_from date,
    day date,
    count numeric,
    amount numeric
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH later AS (
        SELECT key, kind, series_id, day, count, amount, voided_by, log_offset
        FROM aggregation.ledger
        WHERE logged_at > at
    ),
    effects AS (
        SELECT series_id, day, count, amount FROM aggregation.daily_total
        UNION ALL
        SELECT series_id, day, -count, -amount
        FROM later
        WHERE kind = 'c' AND voided_by IS NULL
        UNION ALL
        SELECT o.series_id, o.day, o.count, o.amount
        FROM later AS l
        JOIN aggregation.reversal AS r USING (key)
        JOIN aggregation.ledger AS o ON o.key = r.reversed_key
        WHERE
            l.kind = 'r' AND o.kind = 'c' AND o.voided_by = l.log_offset
            AND o.logged_at <= at
    )
    SELECT
        s.indicator, s.agency, s.locality, s.valid_from, e.day,
        sum(e.count), sum(e.amount)
    FROM effects AS e
    JOIN aggregation.series AS s USING (series_id)
    GROUP BY s.series_id, e.day
    HAVING sum(e.count) <> 0 OR sum(e.amount) <> 0
$$;

-- Levels of leaves on a day, as known at an instant: the rule of leaf_total_on, from
-- the statements and effects known then.
CREATE FUNCTION reporting.leaf_total_known_at(on_day date, at timestamptz)
RETURNS TABLE (
    indicator text,
    agency text,
    locality text,
    valid_from date,
    count numeric,
    amount numeric
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH standing AS (
        SELECT
            indicator, agency, locality, valid_from, day, occurred_at, source, id, level
        FROM aggregation.statement
        WHERE logged_at <= at
        UNION ALL
        SELECT
            s.indicator, s.agency, s.locality, s.valid_from, o.day, o.occurred_at,
            g.source, o.id, o.count
        FROM aggregation.ledger AS l
        JOIN aggregation.reversal AS r USING (key)
        JOIN aggregation.ledger AS o ON o.key = r.reversed_key
        JOIN aggregation.series AS s ON s.series_id = o.series_id
        JOIN aggregation.origin AS g ON g.origin_id = o.origin_id
        WHERE
            l.logged_at > at AND l.kind = 'r' AND o.kind = 's'
            AND o.voided_by = l.log_offset AND o.logged_at <= at
    ),
    stated AS (
        SELECT DISTINCT ON (indicator, agency, locality, valid_from)
            indicator, agency, locality, valid_from, day, level
        FROM standing
        WHERE day <= on_day
        ORDER BY
            indicator, agency, locality, valid_from,
            day DESC, occurred_at DESC, source COLLATE "C" DESC, id COLLATE "C" DESC
    ),
    effects AS (
        SELECT
            d.indicator, d.agency, d.locality, d.valid_from,
            sum(d.count) FILTER (WHERE s.day IS NULL OR d.day > s.day) AS count,
            sum(d.amount) AS amount
        FROM reporting.daily_total_known_at(at) AS d
        LEFT JOIN stated AS s USING (indicator, agency, locality, valid_from)
        WHERE d.day <= on_day
        GROUP BY d.indicator, d.agency, d.locality, d.valid_from
    )
    SELECT
        indicator, agency, locality, valid_from,
        coalesce(s.level, 0) + coalesce(e.count, 0),
        coalesce(e.amount, 0)
    FROM effects AS e
    FULL JOIN stated AS s USING (indicator, agency, locality, valid_from)
$$;

-- Levels of every unit on a day, as known at an instant.
CREATE FUNCTION reporting.running_total_known_at(on_day date, at timestamptz)
RETURNS TABLE (
    indicator text,
    locality text,
    valid_from date,
    name text,
    kind text,
    count numeric,
    amount numeric
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT
        t.indicator, a.code, a.valid_from, l.name, l.kind,
        sum(t.count), sum(t.amount)
    FROM reporting.leaf_total_known_at(on_day, at) AS t
    JOIN aggregation.locality_above AS a
        ON a.leaf = t.locality AND a.leaf_valid_from = t.valid_from
    JOIN aggregation.locality AS l
        ON l.code = a.code AND l.valid_from = a.valid_from
    GROUP BY t.indicator, a.code, a.valid_from, l.name, l.kind
$$;

GRANT SELECT ON reporting.completeness TO uptake_reader;
-- As the other functions: they read as their owner.
ALTER FUNCTION reporting.daily_total_known_at(timestamptz)
    SECURITY DEFINER SET search_path = pg_catalog;
ALTER FUNCTION reporting.leaf_total_known_at(date, timestamptz)
    SECURITY DEFINER SET search_path = pg_catalog;
ALTER FUNCTION reporting.running_total_known_at(date, timestamptz)
    SECURITY DEFINER SET search_path = pg_catalog;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
