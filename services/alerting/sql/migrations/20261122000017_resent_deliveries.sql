-- migrate:up

SET ROLE uptake_alerting;

-- What was given up can be sent again by an operator: since when it waits anew, and
-- who had it so.
ALTER TABLE alerting.delivery
    ADD COLUMN resent_at timestamptz,
    ADD COLUMN resent_by text,
    ADD CONSTRAINT delivery_resent_check
        CHECK (num_nonnulls(resent_at, resent_by) IN (0, 2)),
    ADD CONSTRAINT delivery_resent_channel_check
        CHECK (resent_at IS NULL OR channel = 'webhook');

-- How many are given up of an alert.
CREATE INDEX delivery_dead ON alerting.delivery (fingerprint)
WHERE dead_at IS NOT NULL;

CREATE OR REPLACE VIEW reporting.alert_delivery AS
SELECT
    d.channel, d.receiver, d.fingerprint, a.kind, a.target, a.agency,
    a.indicator, d.state, d.since,
    CASE
        WHEN d.told_at IS NOT NULL THEN 'told'
        WHEN d.dead_at IS NOT NULL THEN 'dead'
        ELSE 'waiting'
    END AS outcome,
    d.queued_at, d.tries, d.tried_at,
    -- What waits for a receiver that is away waits as long as that one does.
    CASE WHEN d.next_at IS NOT NULL THEN greatest(d.next_at, w.next_at) END AS next_at,
    d.told_at, d.dead_at, d.reason, d.delivery_id, d.resent_at, d.resent_by
FROM alerting.delivery AS d
LEFT JOIN alerting.alert AS a USING (fingerprint)
LEFT JOIN alerting.webhook AS w
    ON d.channel = 'webhook' AND w.webhook = d.receiver;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
