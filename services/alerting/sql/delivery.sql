-- What is told to whom, and what came of it.

-- name: note_told_to_alertmanager
-- Alertmanager has taken alerts ($1) in their states ($2) of the instants $3. Noted
-- once: repetitions change nothing.
INSERT INTO alerting.delivery AS d (
    receiver, channel, fingerprint, state, since, queued_at, tries, tried_at, told_at
)
SELECT
    'alertmanager', 'alertmanager', n.fingerprint, n.state, n.since,
    clock_timestamp(), 1, clock_timestamp(), clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::timestamptz[])
    AS n (fingerprint, state, since)
ORDER BY n.fingerprint
ON CONFLICT (receiver, channel, fingerprint, state, since) DO UPDATE
SET tries = d.tries + 1, tried_at = excluded.tried_at, told_at = excluded.told_at,
    reason = ''
WHERE d.told_at IS NULL

-- name: note_untold_to_alertmanager
-- Alertmanager did not take alerts ($1) in their states ($2) of the instants $3, for
-- the reason $4. What it once has taken stays taken.
INSERT INTO alerting.delivery AS d (
    receiver, channel, fingerprint, state, since, queued_at, tries, tried_at, reason
)
SELECT
    'alertmanager', 'alertmanager', n.fingerprint, n.state, n.since,
    clock_timestamp(), 1, clock_timestamp(), $4
FROM unnest($1::text[], $2::text[], $3::timestamptz[])
    AS n (fingerprint, state, since)
ORDER BY n.fingerprint
ON CONFLICT (receiver, channel, fingerprint, state, since) DO UPDATE
SET tries = d.tries + 1, tried_at = excluded.tried_at, reason = excluded.reason
WHERE d.told_at IS NULL

-- name: queue_messages
-- Have webhooks ($1) told of transitions: alerts ($2), states ($3), ids ($4) and
-- messages ($5), of the instant $6; in this order for each alert.
INSERT INTO alerting.delivery (
    receiver, channel, fingerprint, state, since, message_id, message, queued_at,
    next_at
)
SELECT
    n.webhook, 'webhook', n.fingerprint, n.state, $6, n.message_id, n.message, $6, $6
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
    WITH ORDINALITY AS n (webhook, fingerprint, state, message_id, message, place)
ORDER BY n.place
ON CONFLICT (receiver, channel, fingerprint, state, since) DO NOTHING

-- name: add_webhooks
-- Webhooks ($1) of the file; how they have been stays.
INSERT INTO alerting.webhook (webhook)
SELECT n.webhook FROM unnest($1::text[]) AS n (webhook)
ORDER BY n.webhook
ON CONFLICT (webhook) DO NOTHING

-- name: claim_webhook
-- Be the one ($2) that sends to one of the webhooks $1 for the time $3, if any is
-- ready and something waits for it.
UPDATE alerting.webhook AS w
SET claimed_by = $2, claimed_until = clock_timestamp() + $3::interval
FROM (
    SELECT c.webhook
    FROM alerting.webhook AS c
    WHERE c.webhook = ANY($1::text[])
        AND c.next_at <= clock_timestamp()
        AND c.claimed_until <= clock_timestamp()
        AND EXISTS (
            SELECT FROM alerting.delivery AS d
            WHERE d.receiver = c.webhook AND d.channel = 'webhook'
                AND d.next_at <= clock_timestamp()
        )
    ORDER BY c.next_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
) AS c
WHERE w.webhook = c.webhook
RETURNING w.webhook, w.failures, w.allowance

-- name: read_messages
-- At most $2 messages that wait for a webhook ($1): of each alert the oldest, if its
-- time has come. Never one before what was said earlier of the same alert.
SELECT
    o.delivery_id, o.message_id, o.message, o.queued_at, o.next_at, o.tries,
    o.refusals, o.reason, clock_timestamp() AS now
FROM (
    SELECT DISTINCT ON (d.fingerprint)
        d.delivery_id, d.message_id, d.message, d.queued_at, d.next_at, d.tries,
        d.refusals, d.reason
    FROM alerting.delivery AS d
    WHERE d.receiver = $1 AND d.channel = 'webhook' AND d.next_at IS NOT NULL
    ORDER BY d.fingerprint, d.delivery_id
) AS o
WHERE o.next_at <= clock_timestamp()
ORDER BY o.next_at, o.delivery_id
LIMIT $2

-- name: read_clock
-- The database's clock.
SELECT clock_timestamp()

-- name: save_fates
-- What became of messages ($1), one array per column.
UPDATE alerting.delivery AS d
SET tries = n.tries, refusals = n.refusals, next_at = n.next_at,
    told_at = n.told_at, dead_at = n.dead_at, reason = n.reason,
    tried_at = clock_timestamp()
FROM unnest(
    $1::bigint[], $2::integer[], $3::integer[], $4::timestamptz[],
    $5::timestamptz[], $6::timestamptz[], $7::text[]
) AS n (delivery_id, tries, refusals, next_at, told_at, dead_at, reason)
WHERE d.delivery_id = n.delivery_id AND d.next_at IS NOT NULL

-- name: save_webhook
-- How a webhook ($1) is after a round: failures $2, allowance $3, ready again at $4.
-- Only who ($5) still has it says so.
UPDATE alerting.webhook
SET failures = $2, allowance = $3, next_at = $4,
    failing_since = CASE
        WHEN $2 > 0 THEN coalesce(failing_since, clock_timestamp())
    END,
    claimed_by = NULL, claimed_until = '-infinity'
WHERE webhook = $1 AND claimed_by = $5

-- name: give_up_old
-- Give up at most $2 messages that have waited for the time $1, whoever they wait
-- for: a webhook that was taken out of the file never gets its own.
UPDATE alerting.delivery AS d
SET next_at = NULL, dead_at = clock_timestamp(),
    reason = CASE WHEN d.reason = '' THEN 'never_tried' ELSE d.reason END
FROM (
    SELECT delivery_id FROM alerting.delivery
    WHERE next_at IS NOT NULL AND queued_at <= clock_timestamp() - $1::interval
    ORDER BY delivery_id
    LIMIT $2
    FOR UPDATE SKIP LOCKED
) AS o
WHERE d.delivery_id = o.delivery_id

-- name: give_up_beyond
-- Give up what waits for a webhook beyond the newest $1 messages, at most $2.
UPDATE alerting.delivery AS d
SET next_at = NULL, dead_at = clock_timestamp(), reason = 'too_many'
FROM (
    SELECT delivery_id
    FROM (
        SELECT
            delivery_id,
            row_number() OVER (PARTITION BY receiver ORDER BY delivery_id DESC) AS place
        FROM alerting.delivery
        WHERE next_at IS NOT NULL
    ) AS r
    WHERE r.place > $1
    ORDER BY delivery_id
    LIMIT $2
) AS o
WHERE d.delivery_id = o.delivery_id AND d.next_at IS NOT NULL

-- name: forget_deliveries
-- Forget at most $2 deliveries queued longer ago than the time $1 that wait no more.
DELETE FROM alerting.delivery
WHERE delivery_id IN (
    SELECT delivery_id FROM alerting.delivery
    WHERE queued_at <= clock_timestamp() - $1::interval AND next_at IS NULL
    ORDER BY queued_at
    LIMIT $2
)

-- name: read_webhook_gauges
-- What waits for webhooks ($1), for how many seconds the oldest, and what is dead.
SELECT
    n.webhook,
    count(d.delivery_id) FILTER (WHERE d.next_at IS NOT NULL) AS waiting,
    count(d.delivery_id) FILTER (WHERE d.dead_at IS NOT NULL) AS dead,
    coalesce(extract(epoch FROM clock_timestamp() - min(d.queued_at)
        FILTER (WHERE d.next_at IS NOT NULL)), 0)::float8 AS oldest_seconds
FROM unnest($1::text[]) AS n (webhook)
LEFT JOIN alerting.delivery AS d
    ON d.receiver = n.webhook AND d.channel = 'webhook' AND d.told_at IS NULL
GROUP BY n.webhook
