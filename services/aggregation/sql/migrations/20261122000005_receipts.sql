-- migrate:up

SET ROLE uptake_aggregation;

-- The ledger's key, so that an event is found by source and id without reading the whole
-- ledger, and the offset of the reversal that voided a row. Views grow at their end only.
CREATE OR REPLACE VIEW reporting.ledger AS
SELECT
    o.source,
    l.id,
    l.kind::text AS kind,
    t.type,
    l.partition,
    l.log_offset,
    l.logged_at,
    l.occurred_at,
    o.agency,
    s.indicator,
    s.locality,
    s.valid_from,
    l.day,
    l.count,
    l.amount,
    (l.voided_by IS NOT NULL) AS voided,
    l.key,
    l.voided_by
FROM aggregation.ledger AS l
JOIN aggregation.origin AS o USING (origin_id)
JOIN aggregation.event_type AS t USING (type_id)
LEFT JOIN aggregation.series AS s USING (series_id);

-- The latest rejection of each source and id, for receipts: on uptake.rejected it cannot
-- be looked up, and the outbox forgets it once it is there (ADR 0018). The hash is of
-- source and id; agency is beside it, since only the one that a source belongs to may be
-- told, and what another one sends under it is rejected too.
CREATE TABLE aggregation.rejection (
    source_id_hash bytea NOT NULL,
    agency text NOT NULL,
    source text NOT NULL,
    id text NOT NULL,
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    logged_at timestamptz NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (source_id_hash, agency)
);
CREATE INDEX rejection_logged_at ON aggregation.rejection (partition, logged_at);

CREATE FUNCTION reporting.source_id_hash(source text, id text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT sha256(convert_to(jsonb_build_array(source, id)::text, 'UTF8'))
$$;

CREATE VIEW reporting.rejection AS
SELECT
    source, id, agency, partition, log_offset, logged_at, code, detail, source_id_hash
FROM aggregation.rejection;

GRANT SELECT ON reporting.rejection TO uptake_reader;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
