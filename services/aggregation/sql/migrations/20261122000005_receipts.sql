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

-- Notes a rejection with the outbox row that tells of it, so in the transaction that
-- counts it. What cannot be read has no id that anybody could ask for. As many old rows
-- go as come, and one more: those that the ledger, too, would have forgotten.
CREATE FUNCTION aggregation.note_rejection() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
    sent json;
    told record;
BEGIN
    IF new.code = 'unreadable' THEN
        RETURN NULL;
    END IF;
    BEGIN
        sent := convert_from(new.record_value, 'UTF8')::json;
        SELECT sent ->> 'agency' AS agency, sent ->> 'source' AS source, sent ->> 'id' AS id
        INTO told;
    EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
        -- Aggregation could read it and this cannot: the log's record and the topic still
        -- say everything, and nothing may keep the batch from being applied.
        RETURN NULL;
    END;
    IF told.agency IS NULL OR told.source IS NULL OR told.id IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO aggregation.rejection (
        source_id_hash, agency, source, id, partition, log_offset, logged_at, code, detail
    )
    VALUES (
        reporting.source_id_hash(told.source, told.id), told.agency, told.source, told.id,
        new.partition, new.log_offset, new.logged_at, new.code, new.detail
    )
    ON CONFLICT (source_id_hash, agency) DO UPDATE SET
        partition = excluded.partition,
        log_offset = excluded.log_offset,
        logged_at = excluded.logged_at,
        code = excluded.code,
        detail = excluded.detail;
    DELETE FROM aggregation.rejection
    WHERE (source_id_hash, agency) IN (
        SELECT r.source_id_hash, r.agency
        FROM aggregation.rejection AS r
        WHERE
            r.partition = new.partition
            AND r.logged_at < (
                SELECT p.kept_since FROM aggregation.progress AS p
                WHERE p.partition = new.partition
            )
        ORDER BY r.logged_at
        LIMIT 2
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER note_rejection AFTER INSERT ON aggregation.outbox_rejected
FOR EACH ROW EXECUTE FUNCTION aggregation.note_rejection();

CREATE VIEW reporting.rejection AS
SELECT
    source, id, agency, partition, log_offset, logged_at, code, detail, source_id_hash
FROM aggregation.rejection;

GRANT SELECT ON reporting.rejection TO uptake_reader;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
