-- migrate:up

GRANT CREATE ON SCHEMA reporting TO uptake_aggregation;
SET ROLE uptake_aggregation;

-- What became of the log, per partition: applied = the sum of the four classes.
CREATE VIEW reporting.progress AS
SELECT
    partition,
    next_offset,
    next_offset AS applied,
    counted,
    duplicates,
    reversed,
    rejected,
    last_logged_at
FROM aggregation.progress;

-- Event effects per agency, leaf and local day.
CREATE VIEW reporting.daily_total AS
SELECT s.indicator, s.agency, s.locality, s.valid_from, d.day, d.count, d.amount
FROM aggregation.daily_total AS d
JOIN aggregation.series AS s USING (series_id);

CREATE VIEW reporting.locality AS
SELECT code, valid_from, valid_to, kind, name
FROM aggregation.locality;

-- Each leaf with itself and every unit above it.
CREATE VIEW reporting.locality_above AS
SELECT leaf, leaf_valid_from, code, valid_from
FROM aggregation.locality_above;

-- Levels of leaves on a day: the statement with the greatest day up to it (of one day
-- the greatest time, source, id) plus the effects of later days; without a statement
-- the sum of the effects. Amounts are never stated.
CREATE FUNCTION reporting.leaf_total_on(on_day date)
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
    WITH stated AS (
        SELECT DISTINCT ON (s.indicator, s.agency, s.locality, s.valid_from)
            s.indicator, s.agency, s.locality, s.valid_from, s.day, s.level
        FROM aggregation.statement AS s
        WHERE s.day <= on_day
        ORDER BY
            s.indicator, s.agency, s.locality, s.valid_from,
            s.day DESC, s.occurred_at DESC,
            s.source COLLATE "C" DESC, s.id COLLATE "C" DESC
    ),
    effects AS (
        SELECT
            p.indicator, p.agency, p.locality, p.valid_from,
            sum(d.count) FILTER (WHERE s.day IS NULL OR d.day > s.day) AS count,
            sum(d.amount) AS amount
        FROM aggregation.daily_total AS d
        JOIN aggregation.series AS p USING (series_id)
        LEFT JOIN stated AS s USING (indicator, agency, locality, valid_from)
        WHERE d.day <= on_day
        GROUP BY p.series_id
    )
    SELECT
        indicator, agency, locality, valid_from,
        coalesce(s.level, 0) + coalesce(e.count, 0),
        coalesce(e.amount, 0)
    FROM effects AS e
    FULL JOIN stated AS s USING (indicator, agency, locality, valid_from)
$$;

-- Levels of every unit, leaves and ancestors alike, on a day.
CREATE FUNCTION reporting.running_total_on(on_day date)
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
    FROM reporting.leaf_total_on(on_day) AS t
    JOIN aggregation.locality_above AS a
        ON a.leaf = t.locality AND a.leaf_valid_from = t.valid_from
    JOIN aggregation.locality AS l
        ON l.code = a.code AND l.valid_from = a.valid_from
    GROUP BY t.indicator, a.code, a.valid_from, l.name, l.kind
$$;

-- Levels of every unit with all that has been counted.
CREATE VIEW reporting.running_total AS
SELECT indicator, locality, valid_from, name, kind, count, amount
FROM reporting.running_total_on('infinity'::date);

-- Controls beside counts: the latest claim of an agency for a day, what is counted on
-- that day, and the difference.
CREATE VIEW reporting.control AS
SELECT
    c.indicator, c.agency, c.day, c.claimed,
    coalesce(d.count, 0) AS counted,
    c.claimed - coalesce(d.count, 0) AS difference
FROM (
    SELECT DISTINCT ON (indicator, agency, day) indicator, agency, day, claimed
    FROM aggregation.control
    ORDER BY indicator, agency, day, occurred_at DESC,
        source COLLATE "C" DESC, id COLLATE "C" DESC
) AS c
LEFT JOIN LATERAL (
    SELECT sum(t.count) AS count
    FROM aggregation.series AS s
    JOIN aggregation.daily_total AS t USING (series_id)
    WHERE s.indicator = c.indicator AND s.agency = c.agency AND t.day = c.day
) AS d ON true;

CREATE VIEW reporting.last_report AS
SELECT agency, indicator, logged_at FROM aggregation.last_report;

-- The end of each record, for receipts and for reconciling; no payload.
CREATE VIEW reporting.ledger AS
SELECT
    o.source, l.id, l.kind::text AS kind, t.type, l.partition, l.log_offset,
    l.logged_at, l.occurred_at, o.agency, s.indicator, s.locality, s.valid_from,
    l.day, l.count, l.amount, l.voided_by IS NOT NULL AS voided
FROM aggregation.ledger AS l
JOIN aggregation.origin AS o USING (origin_id)
JOIN aggregation.event_type AS t USING (type_id)
LEFT JOIN aggregation.series AS s USING (series_id);

GRANT SELECT ON
    reporting.progress,
    reporting.daily_total,
    reporting.locality,
    reporting.locality_above,
    reporting.running_total,
    reporting.control,
    reporting.last_report,
    reporting.ledger
TO uptake_reader;
-- The functions read as their owner, so that a reader needs no right on the tables.
ALTER FUNCTION reporting.leaf_total_on(date) SECURITY DEFINER SET search_path = pg_catalog;
ALTER FUNCTION reporting.running_total_on(date) SECURITY DEFINER SET search_path = pg_catalog;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
