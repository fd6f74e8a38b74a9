-- migrate:up

SET ROLE uptake_alerting;

-- By what each target is judged behind, when it was looked at last, and when it is
-- looked at next unless a total changes before; null: at once.
CREATE VIEW reporting.target_look AS
SELECT
    t.target, t.timezone, t.enter_bp, t.leave_bp, t.for_seconds, t.keep_seconds,
    t.evaluated_at AS looked_at,
    nullif(t.next_evaluation_at, '-infinity') AS next_look_at
FROM alerting.target AS t
WHERE NOT t.is_removed AND t.status IS NOT NULL;

-- How long alerts that are pending or kept have waited of the time that counts, which
-- stands still while nothing can be judged.
CREATE VIEW reporting.alert_wait AS
SELECT
    a.fingerprint,
    extract(epoch FROM a.credited)::bigint AS waited_seconds,
    CASE a.state WHEN 'pending' THEN t.for_seconds ELSE t.keep_seconds END
        AS wait_seconds
FROM alerting.alert AS a
JOIN alerting.target AS t USING (target)
WHERE a.state IN ('pending', 'kept');

GRANT SELECT ON reporting.target_look, reporting.alert_wait TO uptake_reader;

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
