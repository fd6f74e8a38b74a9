-- migrate:up

SET ROLE uptake_alerting;

-- Most looks find what the one before them found. They write only that they were, and
-- what rows of alerts say is carried on to the target's last look by whoever reads them.
ALTER TABLE alerting.target
    -- When the forecast was made that is told with these figures.
    ADD COLUMN forecast_at timestamptz,
    -- When last a look found something to show that was new.
    ADD COLUMN changed_at timestamptz;
UPDATE alerting.target SET changed_at = evaluated_at;

CREATE OR REPLACE VIEW reporting.alert AS
SELECT
    a.fingerprint, a.kind, a.target, coalesce(t.indicator, a.indicator) AS indicator,
    coalesce(t.locality, d.locality) AS locality, a.state, a.episode, a.state_since,
    a.pending_since, a.firing_since, a.resolved_at, a.summary_en, a.summary_vi,
    greatest(a.evaluated_at, t.evaluated_at) AS evaluated_at, a.agency
FROM alerting.alert AS a
LEFT JOIN alerting.target AS t ON t.target = a.target
LEFT JOIN alerting.duty AS d ON d.agency = a.agency AND d.indicator = a.indicator;

CREATE OR REPLACE VIEW reporting.alert_wait AS
SELECT
    a.fingerprint,
    extract(epoch FROM
        a.credited + greatest(t.evaluated_at - a.seen_at, interval '0')
    )::bigint AS waited_seconds,
    CASE a.state WHEN 'pending' THEN t.for_seconds ELSE t.keep_seconds END
        AS wait_seconds
FROM alerting.alert AS a
JOIN alerting.target AS t USING (target)
WHERE a.state IN ('pending', 'kept');

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
