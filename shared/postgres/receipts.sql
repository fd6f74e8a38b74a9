-- Receipts, from the public views; the board asks, and `uptake event`.

-- name: read_receipts
-- What is known of each event asked for, in the order of asking: its row in the ledger,
-- and the latest rejection of its source and id. One statement, so one snapshot, taken
-- after its locks: a rebuild's switch cannot fall into it. $1 keys, $2 sources, $3 ids,
-- $4 the only agency to tell of, or null.
SELECT
    a.source, a.id,
    l.kind, l.type, l.partition, l.log_offset, l.logged_at, l.indicator, l.locality,
    l.valid_from, l.day, l.count, l.amount, l.voided_by,
    r.partition AS rejected_partition,
    r.log_offset AS rejected_offset,
    r.logged_at AS rejected_at,
    r.code, r.detail,
    (SELECT complete_up_to FROM reporting.completeness) AS complete_up_to,
    (SELECT kept_since FROM reporting.ledger_kept) AS kept_since
FROM unnest($1::uuid[], $2::text[], $3::text[])
    WITH ORDINALITY AS a (key, source, id, place)
-- One by one: for a thousand of them the planner would rather read a whole small ledger.
LEFT JOIN LATERAL (
    SELECT *
    FROM reporting.ledger AS l
    WHERE
        l.key = a.key AND l.source = a.source AND l.id = a.id
        AND ($4::text IS NULL OR l.agency = $4)
    LIMIT 1
) AS l ON true
LEFT JOIN LATERAL (
    SELECT *
    FROM reporting.rejection AS r
    WHERE
        r.source_id_hash = reporting.source_id_hash(a.source, a.id)
        AND r.source = a.source AND r.id = a.id
        AND ($4::text IS NULL OR r.agency = $4)
    ORDER BY r.logged_at DESC
    LIMIT 1
) AS r ON true
ORDER BY a.place
