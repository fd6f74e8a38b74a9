-- What was told to whom, from the public view that alerting keeps.

-- name: read_deliveries
-- The newest deliveries, at most $3: of one target, agency, fingerprint or receiver
-- ($1) if asked, and, unless all ($2), only those that wait or were given up.
SELECT
    channel, receiver, fingerprint, kind, target, agency, state, since, outcome,
    queued_at, tries, tried_at, next_at, told_at, dead_at, reason
FROM reporting.alert_delivery
WHERE
    ($1::text IS NULL OR $1 IN (target, agency, fingerprint, receiver))
    AND ($2::boolean OR outcome <> 'told')
ORDER BY queued_at DESC, receiver, fingerprint, state
LIMIT $3
