-- migrate:up

SET ROLE uptake_alerting;

-- What was told to whom: a transition for each receiver. Alertmanager's rows are a
-- record only, since it is told of the alert as it is. A webhook's row is also the
-- message that waits for it.
CREATE TABLE alerting.delivery (
    delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- `alertmanager`, or the id of a webhook.
    receiver text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('alertmanager', 'webhook')),
    fingerprint text NOT NULL,
    state text NOT NULL
        CHECK (state IN ('quiet', 'pending', 'firing', 'kept', 'resolved')),
    -- The instant of the transition.
    since timestamptz NOT NULL,
    message_id text,
    message bytea,
    queued_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    refusals integer NOT NULL DEFAULT 0 CHECK (refusals >= 0),
    next_at timestamptz,
    tried_at timestamptz,
    told_at timestamptz,
    dead_at timestamptz,
    -- Why the last try failed: a code, nothing that the receiver wrote.
    reason text NOT NULL DEFAULT '',
    UNIQUE (receiver, channel, fingerprint, state, since),
    CHECK (channel = 'alertmanager' OR num_nonnulls(message_id, message) = 2),
    CHECK (told_at IS NULL OR dead_at IS NULL),
    -- A webhook's message waits for its next try until it is told or given up.
    CHECK (channel = 'alertmanager'
        OR (next_at IS NULL) = (num_nonnulls(told_at, dead_at) = 1))
) WITH (fillfactor = 80);

CREATE INDEX delivery_waiting ON alerting.delivery (receiver, fingerprint, delivery_id)
WHERE next_at IS NOT NULL;

CREATE INDEX delivery_untold ON alerting.delivery (receiver) WHERE told_at IS NULL;

CREATE INDEX delivery_queued ON alerting.delivery (queued_at);

-- How each webhook has been, shared by all replicas.
CREATE TABLE alerting.webhook (
    webhook text PRIMARY KEY,
    -- Rounds in a row in which nothing got through, and since when.
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since timestamptz,
    allowance integer NOT NULL DEFAULT 1 CHECK (allowance >= 1),
    next_at timestamptz NOT NULL DEFAULT '-infinity',
    -- Who sends to it now, and until when nobody else does.
    claimed_by uuid,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 70);

-- Deliveries of transitions, without what they say.
CREATE VIEW reporting.alert_delivery AS
SELECT
    d.channel, d.receiver, d.fingerprint, a.kind, a.target, a.agency, a.indicator, d.state, d.since,
    CASE
        WHEN d.told_at IS NOT NULL THEN 'told'
        WHEN d.dead_at IS NOT NULL THEN 'dead'
        ELSE 'waiting'
    END AS outcome,
    d.queued_at, d.tries, d.tried_at,
    -- What waits for a receiver that is away waits as long as that one does.
    CASE WHEN d.next_at IS NOT NULL THEN greatest(d.next_at, w.next_at) END AS next_at,
    d.told_at, d.dead_at, d.reason
FROM alerting.delivery AS d
LEFT JOIN alerting.alert AS a USING (fingerprint)
LEFT JOIN alerting.webhook AS w
    ON d.channel = 'webhook' AND w.webhook = d.receiver;

GRANT SELECT ON reporting.alert_delivery TO uptake_reader;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
