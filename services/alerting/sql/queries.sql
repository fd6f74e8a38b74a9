-- name: lock_copy
-- Keep writers of the copy away until the transaction ends.
LOCK TABLE alerting.position IN EXCLUSIVE MODE

-- name: add_units
-- Know the units that targets are about: indicators $1 at localities $2, $3, of flows
-- what comes from $4 to $5.
INSERT INTO alerting.unit (indicator, locality, valid_from, since, until)
SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::date[])
ON CONFLICT DO NOTHING

-- name: read_units
-- All units, with the digest of the leaves their sums were made of.
SELECT unit_id, indicator, locality, valid_from, since, until, leaves_digest
FROM alerting.unit

-- name: remove_units
-- Forget units ($1) that no target is about any more.
DELETE FROM alerting.unit WHERE unit_id = ANY($1::bigint[])

-- name: clear_units
-- Forget the leaves of units ($1), before they are given new ones.
DELETE FROM alerting.unit_leaf WHERE unit_id = ANY($1::bigint[])

-- name: add_leaves
-- Give units ($1) their leaves ($2, $3).
INSERT INTO alerting.unit_leaf (indicator, leaf, leaf_valid_from, unit_id)
SELECT u.indicator, n.leaf, n.leaf_valid_from, u.unit_id
FROM unnest($1::bigint[], $2::text[], $3::date[])
    AS n (unit_id, leaf, leaf_valid_from)
JOIN alerting.unit AS u USING (unit_id)

-- name: clear_sums
-- Forget the sums per day of units ($1).
DELETE FROM alerting.unit_day WHERE unit_id = ANY($1::bigint[])

-- name: clear_partitions
-- Forget which partitions feed units ($1).
DELETE FROM alerting.unit_partition WHERE unit_id = ANY($1::bigint[])

-- name: fill_days
-- Sum the copy per day for units ($1). A flow's days before its span are kept too: they
-- tell how it has been coming along.
INSERT INTO alerting.unit_day (unit_id, day, count)
SELECT l.unit_id, d.day, sum(d.count)
FROM alerting.unit_leaf AS l
JOIN alerting.unit AS u USING (unit_id)
JOIN alerting.daily_total AS d
    ON d.indicator = l.indicator
    AND d.locality = l.leaf
    AND d.valid_from = l.leaf_valid_from
    AND (u.until IS NULL OR d.day <= u.until)
WHERE l.unit_id = ANY($1::bigint[])
GROUP BY l.unit_id, d.day

-- name: fill_partitions
-- Note which partitions feed units ($1).
INSERT INTO alerting.unit_partition (unit_id, partition)
SELECT l.unit_id, f.partition
FROM alerting.unit_leaf AS l
JOIN (
    SELECT DISTINCT indicator, locality, valid_from, partition
    FROM alerting.daily_total
    UNION
    SELECT DISTINCT indicator, locality, valid_from, partition FROM alerting.stated
) AS f
    ON f.indicator = l.indicator
    AND f.locality = l.leaf
    AND f.valid_from = l.leaf_valid_from
WHERE l.unit_id = ANY($1::bigint[])
GROUP BY l.unit_id, f.partition

-- name: fill_levels
-- Sum the levels of units ($1), whose leaves have the digests $2; a flow's is the sum
-- of the days of its span, which have been filled.
UPDATE alerting.unit AS u
SET leaves_digest = n.leaves_digest,
    level = coalesce(
        CASE WHEN u.since IS NULL THEN (
            SELECT sum(s.level)
            FROM alerting.unit_leaf AS l
            JOIN alerting.series AS s
                ON s.indicator = l.indicator
                AND s.locality = l.leaf
                AND s.valid_from = l.leaf_valid_from
            WHERE l.unit_id = u.unit_id
        ) ELSE (
            SELECT sum(d.count) FROM alerting.unit_day AS d
            WHERE d.unit_id = u.unit_id AND d.day >= u.since
        ) END,
        0
    )
FROM unnest($1::bigint[], $2::text[]) AS n (unit_id, leaves_digest)
WHERE u.unit_id = n.unit_id

-- name: save_target_definitions
-- Take over the catalogue's targets, one array per column; where they stand stays,
-- and they are evaluated soon.
INSERT INTO alerting.target AS t (
    target, unit_id, indicator, locality, valid_from, locality_kind, province,
    indicator_name, indicator_name_vi, place_name, timezone, trajectory,
    start_date, start_value, due, goal, enter_bp, leave_bp, for_seconds,
    keep_seconds, issued_by, illustrative, measure, milestones, goal_share_bp,
    population_group, population, population_as_of, population_source,
    population_illustrative, period, succeeds
)
SELECT
    n.target, u.unit_id, n.indicator, n.locality, n.valid_from, n.locality_kind,
    n.province, n.indicator_name, n.indicator_name_vi, n.place_name, n.timezone,
    n.trajectory, n.start_date, n.start_value, n.due, n.goal, n.enter_bp,
    n.leave_bp, n.for_seconds, n.keep_seconds, n.issued_by, n.illustrative,
    n.measure, n.milestones::jsonb, n.goal_share_bp, n.population_group,
    n.population, n.population_as_of, n.population_source,
    n.population_illustrative, n.period, n.succeeds
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::date[], $5::text[], $6::text[],
    $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::date[],
    $13::bigint[], $14::date[], $15::bigint[], $16::integer[], $17::integer[],
    $18::bigint[], $19::bigint[], $20::text[], $21::boolean[], $22::text[],
    $23::text[], $24::integer[], $25::text[], $26::bigint[], $27::date[],
    $28::text[], $29::boolean[], $30::text[], $31::text[]
) AS n (
    target, indicator, locality, valid_from, locality_kind, province,
    indicator_name, indicator_name_vi, place_name, timezone, trajectory,
    start_date, start_value, due, goal, enter_bp, leave_bp, for_seconds,
    keep_seconds, issued_by, illustrative, measure, milestones, goal_share_bp,
    population_group, population, population_as_of, population_source,
    population_illustrative, period, succeeds
)
JOIN alerting.unit AS u
    ON u.indicator = n.indicator
    AND u.locality = n.locality
    AND u.valid_from = n.valid_from
    AND u.since IS NOT DISTINCT FROM
        CASE n.measure WHEN 'flow' THEN n.start_date END
    AND u.until IS NOT DISTINCT FROM CASE n.measure WHEN 'flow' THEN n.due END
ORDER BY n.target
ON CONFLICT (target) DO UPDATE
SET unit_id = excluded.unit_id, indicator = excluded.indicator,
    locality = excluded.locality, valid_from = excluded.valid_from,
    locality_kind = excluded.locality_kind, province = excluded.province,
    indicator_name = excluded.indicator_name,
    indicator_name_vi = excluded.indicator_name_vi,
    place_name = excluded.place_name, timezone = excluded.timezone,
    trajectory = excluded.trajectory, start_date = excluded.start_date,
    start_value = excluded.start_value, due = excluded.due, goal = excluded.goal,
    enter_bp = excluded.enter_bp, leave_bp = excluded.leave_bp,
    for_seconds = excluded.for_seconds, keep_seconds = excluded.keep_seconds,
    issued_by = excluded.issued_by, illustrative = excluded.illustrative,
    measure = excluded.measure, milestones = excluded.milestones,
    goal_share_bp = excluded.goal_share_bp,
    population_group = excluded.population_group,
    population = excluded.population, population_as_of = excluded.population_as_of,
    population_source = excluded.population_source,
    population_illustrative = excluded.population_illustrative,
    period = excluded.period, succeeds = excluded.succeeds,
    is_removed = false, next_evaluation_at = '-infinity', calm_until = '-infinity'

-- name: remove_targets
-- Note which targets the catalogue ($1) has no more; their alerts end at the next
-- evaluation.
UPDATE alerting.target
SET is_removed = true, next_evaluation_at = '-infinity', calm_until = '-infinity'
WHERE NOT is_removed AND target <> ALL($1::text[])

-- name: look_at_calm_targets
-- Look at no more than $1 targets that are due, and of which a look would find what the
-- last one found: nothing was copied or forecast since, all that was logged until $2
-- ago is in the copy, the last look was at most $3 ago, and no instant has come at which
-- time alone changes something. Looked at again after $4, or at that instant; not
-- before $5.
WITH copy AS MATERIALIZED (
    SELECT clock_timestamp() AS now, coalesce(bool_and(p.caught_up_at IS NOT NULL), false)
        AS is_full, min(p.caught_up_at) AS caught_up_at,
        (SELECT min(w.applied_until) FROM alerting.watermark AS w) AS applied_until
    FROM alerting.position AS p
),
calm AS (
    SELECT t.target, c.now
    FROM copy AS c
    JOIN alerting.target AS t ON t.next_evaluation_at <= c.now
    LEFT JOIN alerting.forecast AS f ON f.target = t.target
    WHERE c.is_full
        AND c.caught_up_at >= c.now - $2::interval
        AND c.applied_until >= c.now - $2::interval
        -- A partition that has fed a unit and whose watermark nobody knows.
        AND NOT EXISTS (
            SELECT FROM alerting.unit_partition AS p
            WHERE NOT EXISTS (
                SELECT FROM alerting.watermark AS w WHERE w.partition = p.partition
            )
        )
        AND t.calm_until > c.now
        AND t.evaluated_at BETWEEN c.now - $3::interval AND c.now
        AND t.forecast_at IS NOT DISTINCT FROM f.made_at
    ORDER BY t.next_evaluation_at
    LIMIT $1
    FOR UPDATE OF t SKIP LOCKED
)
UPDATE alerting.target AS t
SET evaluated_at = c.now,
    next_evaluation_at = greatest(
        least(c.now + $4::interval, t.calm_until), c.now + $5::interval
    )
FROM calm AS c
WHERE t.target = c.target

-- name: lock_due_targets
-- Take at most $1 targets that are due for evaluation and nobody else has taken.
SELECT
    target, unit_id, indicator, locality, valid_from, locality_kind, province,
    indicator_name, indicator_name_vi, place_name, timezone, trajectory,
    start_date, start_value, due, goal, enter_bp, leave_bp, for_seconds,
    keep_seconds, issued_by, illustrative, measure, milestones, goal_share_bp,
    population_group, population, population_as_of, population_source,
    population_illustrative, period, succeeds, is_removed, status, reason,
    status_since, is_lagging, is_at_risk, actual, expected, position_bp, pace_7_bp,
    pace_28_bp, required_per_day, achieved_7_per_day, achieved_28_per_day,
    forecast_at, changed_at, evaluated_at,
    NOT isfinite(next_evaluation_at) AS is_taken_over
FROM alerting.target
WHERE next_evaluation_at <= clock_timestamp()
ORDER BY next_evaluation_at
LIMIT $1
FOR UPDATE SKIP LOCKED

-- name: read_copy_state
-- The database's clock, whether the copy was ever complete, when last, and the
-- oldest watermark of all.
SELECT
    clock_timestamp() AS now,
    coalesce(bool_or(p.caught_up_at IS NULL), true) AS is_filling,
    min(p.caught_up_at) AS caught_up_at,
    (SELECT min(applied_until) FROM alerting.watermark) AS applied_until
FROM alerting.position AS p

-- name: read_figures
-- Levels and effects for targets: positions in the answer are those of the arrays.
-- $1 units, $2 first day of the short window, $3 of the long one, $4 today, $5 due
-- days that are over, else null. What a flow's unit sums ends on its due day.
SELECT
    n.place,
    coalesce(u.level, 0) AS level,
    coalesce(e.short_effect, 0) AS short_effect,
    coalesce(e.long_effect, 0) AS long_effect,
    f.applied_until,
    coalesce(f.partitions, 0) AS partitions,
    coalesce(f.unknown_partitions, 0) AS unknown_partitions,
    coalesce(u.silent_bp, 0) AS silent_bp,
    u.required_gap,
    CASE WHEN n.due IS NULL THEN NULL WHEN u.since IS NOT NULL THEN u.level ELSE (
        SELECT coalesce(sum(coalesce(s.level, 0) + coalesce(d.count, 0)), 0)
        FROM alerting.unit_leaf AS l
        JOIN alerting.series AS r
            ON r.indicator = l.indicator
            AND r.locality = l.leaf
            AND r.valid_from = l.leaf_valid_from
        LEFT JOIN LATERAL (
            SELECT x.day, x.level
            FROM alerting.stated AS x
            WHERE x.indicator = r.indicator AND x.agency = r.agency
                AND x.locality = r.locality AND x.valid_from = r.valid_from
                AND x.day <= n.due AND x.level IS NOT NULL
            ORDER BY x.day DESC
            LIMIT 1
        ) AS s ON true
        LEFT JOIN LATERAL (
            SELECT sum(y.count) AS count
            FROM alerting.daily_total AS y
            WHERE y.indicator = r.indicator AND y.agency = r.agency
                AND y.locality = r.locality AND y.valid_from = r.valid_from
                AND y.day <= n.due AND (s.day IS NULL OR y.day > s.day)
        ) AS d ON true
        WHERE l.unit_id = n.unit_id
    ) END AS level_on_due
FROM unnest($1::bigint[], $2::date[], $3::date[], $4::date[], $5::date[])
    WITH ORDINALITY AS n (unit_id, short_from, long_from, today, due, place)
LEFT JOIN alerting.unit AS u ON u.unit_id = n.unit_id
LEFT JOIN LATERAL (
    SELECT
        sum(x.count) FILTER (WHERE x.day >= n.short_from) AS short_effect,
        sum(x.count) AS long_effect
    FROM alerting.unit_day AS x
    WHERE x.unit_id = n.unit_id AND x.day >= n.long_from AND x.day < n.today
) AS e ON true
LEFT JOIN LATERAL (
    SELECT
        count(*) AS partitions,
        count(*) FILTER (WHERE w.partition IS NULL) AS unknown_partitions,
        min(w.applied_until) AS applied_until
    FROM alerting.unit_partition AS p
    LEFT JOIN alerting.watermark AS w USING (partition)
    WHERE p.unit_id = n.unit_id
) AS f ON true
ORDER BY n.place

-- name: read_alerts
-- Lives of the alerts about targets $1 as they were last written; looks since then
-- have found what that one found.
SELECT
    target, kind, state, episode, state_since, pending_since, firing_since,
    resolved_at, credited, seen_at, was_kept, evaluated_at
FROM alerting.alert
WHERE target = ANY($1::text[])

-- name: save_standings
-- Where targets ($1) stand now, one array per column, where that is news.
UPDATE alerting.target AS t
SET status = n.status, reason = n.reason, is_lagging = n.is_lagging,
    is_at_risk = n.is_at_risk, actual = n.actual, expected = n.expected,
    position_bp = n.position_bp, pace_7_bp = n.pace_7_bp,
    pace_28_bp = n.pace_28_bp, required_per_day = n.required_per_day,
    achieved_7_per_day = n.achieved_7_per_day,
    achieved_28_per_day = n.achieved_28_per_day, forecast_at = n.forecast_at,
    status_since = n.status_since, changed_at = $17, evaluated_at = $17,
    calm_until = '-infinity',
    next_evaluation_at =
        CASE WHEN t.is_removed THEN 'infinity' ELSE n.next_evaluation_at END
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::boolean[], $5::boolean[],
    $6::numeric[], $7::numeric[], $8::integer[], $9::integer[], $10::integer[],
    $11::numeric[], $12::numeric[], $13::numeric[], $14::timestamptz[],
    $15::timestamptz[], $16::timestamptz[]
) AS n (
    target, status, reason, is_lagging, is_at_risk, actual, expected, position_bp,
    pace_7_bp, pace_28_bp, required_per_day, achieved_7_per_day,
    achieved_28_per_day, forecast_at, status_since, next_evaluation_at
)
WHERE t.target = n.target

-- name: save_looks
-- Targets ($1) stand where they stood; look again at $2. Until $3 nothing changes by
-- itself; null: something may at any time.
UPDATE alerting.target AS t
SET evaluated_at = $4, calm_until = coalesce(n.calm_until, '-infinity'),
    next_evaluation_at =
        CASE WHEN t.is_removed THEN 'infinity' ELSE n.next_evaluation_at END
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[])
    AS n (target, next_evaluation_at, calm_until)
WHERE t.target = n.target

-- name: save_alerts
-- Where alerts are now, one array per column, where that is not what their rows lead
-- to expect; about targets ($2), or about agencies and indicators ($3, $4). A new state
-- is delivered at once.
INSERT INTO alerting.alert AS a (
    fingerprint, target, agency, indicator, kind, state, episode, state_since,
    pending_since, firing_since, resolved_at, credited, seen_at, was_kept, summary_en,
    summary_vi, evaluated_at, told_from, told_until, version
)
SELECT
    n.fingerprint, n.target, n.agency, n.indicator, n.kind, n.state, n.episode, $16,
    n.pending_since, n.firing_since, n.resolved_at, n.credited, n.seen_at, n.was_kept,
    n.summary_en, n.summary_vi, $16, n.firing_since, n.resolved_at, 1
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::integer[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[],
    $11::interval[], $12::timestamptz[], $13::boolean[], $14::text[], $15::text[]
) AS n (
    fingerprint, target, agency, indicator, kind, state, episode, pending_since,
    firing_since, resolved_at, credited, seen_at, was_kept, summary_en, summary_vi
)
ON CONFLICT (fingerprint) DO UPDATE
SET state = excluded.state, episode = excluded.episode,
    state_since = CASE
        WHEN a.state = excluded.state AND a.episode = excluded.episode
        THEN a.state_since ELSE excluded.state_since
    END,
    pending_since = excluded.pending_since, firing_since = excluded.firing_since,
    resolved_at = excluded.resolved_at, credited = excluded.credited,
    seen_at = excluded.seen_at, was_kept = excluded.was_kept,
    summary_en = excluded.summary_en, summary_vi = excluded.summary_vi,
    evaluated_at = excluded.evaluated_at,
    -- A new episode that is only pending leaves the end of the last one standing.
    told_from = coalesce(excluded.firing_since, a.told_from),
    told_until = CASE
        WHEN excluded.firing_since IS NULL THEN a.told_until
        ELSE excluded.resolved_at
    END,
    version = a.version + (a.state <> excluded.state)::integer,
    next_delivery_at = CASE
        WHEN a.state <> excluded.state THEN '-infinity' ELSE a.next_delivery_at
    END

-- name: add_to_outbox
-- Messages ($2) about alerts ($1) to publish, in this order.
INSERT INTO alerting.outbox (fingerprint, message)
SELECT n.fingerprint, n.message
FROM unnest($1::text[], $2::bytea[])
    WITH ORDINALITY AS n (fingerprint, message, place)
ORDER BY n.place

-- name: lock_outbox
-- Be the only one that publishes, so that the order holds; false: another one is.
SELECT pg_try_advisory_xact_lock(hashtextextended('alerting.outbox', 0))

-- name: read_outbox
-- The oldest messages, at most $1.
SELECT outbox_id, fingerprint, message FROM alerting.outbox
ORDER BY outbox_id
LIMIT $1

-- name: remove_from_outbox
-- Forget messages ($1) that Kafka has.
DELETE FROM alerting.outbox WHERE outbox_id = ANY($1::bigint[])

-- name: claim_deliveries
-- Take at most $1 alerts that Alertmanager is to be told about: raised ones, and
-- those whose end it has known for less than $2 or, until then, that are over for less
-- than $4. Nobody else tells of them for the time $3. Parents come first.
UPDATE alerting.alert AS a
SET next_delivery_at = clock_timestamp() + $3::interval
FROM (
    SELECT d.fingerprint
    FROM alerting.alert AS d
    LEFT JOIN alerting.target AS p USING (target)
    LEFT JOIN alerting.duty AS q
        ON q.agency = d.agency AND q.indicator = d.indicator
    WHERE d.told_from IS NOT NULL
        AND d.next_delivery_at <= clock_timestamp()
        AND (d.told_until IS NULL
            OR d.told_until > clock_timestamp() - $2::interval
            OR d.told_until > clock_timestamp() - $4::interval
            AND NOT EXISTS (
                SELECT FROM alerting.delivery AS e
                WHERE e.receiver = 'alertmanager' AND e.channel = 'alertmanager'
                    AND e.fingerprint = d.fingerprint AND e.state = 'resolved'
                    AND e.since = d.told_until
                    AND e.told_at <= clock_timestamp() - $2::interval
            ))
    ORDER BY
        array_position(
            '{nation,province,commune}', coalesce(p.locality_kind, q.locality_kind)
        ),
        d.next_delivery_at
    LIMIT $1
    FOR UPDATE OF d SKIP LOCKED
) AS c
JOIN alerting.alert AS b USING (fingerprint)
LEFT JOIN alerting.target AS t ON t.target = b.target
LEFT JOIN alerting.duty AS d ON d.agency = b.agency AND d.indicator = b.indicator
WHERE a.fingerprint = c.fingerprint
RETURNING
    a.fingerprint, a.kind, coalesce(a.target, '') AS target,
    coalesce(a.agency, '') AS agency,
    coalesce(t.indicator, a.indicator) AS indicator,
    coalesce(t.locality, d.locality) AS locality,
    coalesce(t.locality_kind, d.locality_kind) AS locality_kind,
    coalesce(t.province, d.province) AS province, t.due, t.status, a.told_from,
    a.told_until, a.summary_en, a.summary_vi, a.version, clock_timestamp() AS now

-- name: save_deliveries
-- Alerts ($1) were told of in their versions $2; again after $3, unless they have
-- changed meanwhile and are told of at once.
UPDATE alerting.alert AS a
SET next_delivery_at = clock_timestamp() + $3::interval
FROM unnest($1::text[], $2::bigint[]) AS n (fingerprint, version)
WHERE a.fingerprint = n.fingerprint AND a.version = n.version

-- name: read_gauges
-- Where targets of the places $1 stand, for metrics.
SELECT
    t.target, t.status, t.expected, t.position_bp, t.pace_7_bp, t.pace_28_bp,
    f.miss_bp
FROM alerting.target AS t
LEFT JOIN alerting.forecast AS f
    ON f.target = t.target AND (f.unit_id, f.goal, f.due) = (t.unit_id, t.goal, t.due)
WHERE
    NOT t.is_removed AND t.status IS NOT NULL AND t.locality_kind = ANY($1::text[])

-- name: count_firing
-- Raised alerts by kind.
SELECT kind, count(*) AS firing
FROM alerting.alert
WHERE state IN ('firing', 'kept')
GROUP BY kind
