-- migrate:up

SET ROLE uptake_aggregation;

-- What changed and is still to be published: one row per batch, partition and kind, with
-- the keys in arrays. Rows are written once and deleted once, so writers and the relay
-- never wait for each other, and a batch pays for one row instead of one per total
-- (ADR 0013). A key that stands in several rows is published once a round, with the
-- value and the revision that it has then.
CREATE TABLE aggregation.outbox_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition integer NOT NULL,
    keys integer NOT NULL,
    -- d: daily total, s: statement, l: last report
    kind "char" NOT NULL CHECK (kind IN ('d', 's', 'l')),
    series_ids integer[] NOT NULL,
    -- The day of a daily total or statement; of a last report '-infinity'.
    days date[] NOT NULL,
    CHECK (keys = cardinality(series_ids) AND keys = cardinality(days))
);

INSERT INTO aggregation.outbox_change (partition, keys, kind, series_ids, days)
SELECT partition, count(*), kind, array_agg(series_id), array_agg(day)
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY partition, kind ORDER BY series_id, day)
            / 5000 AS part
    FROM aggregation.outbox_total
) AS o
GROUP BY partition, kind, part;

DROP TABLE aggregation.outbox_total;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
