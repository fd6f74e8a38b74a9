-- Who owes reports, who is silent, and what targets lack because of it.

-- name: start_listening
-- Have the one row of the listening clock, and what targets lack worked out soon.
INSERT INTO alerting.listening DEFAULT VALUES
ON CONFLICT (is_only) DO UPDATE SET gaps_at = '-infinity'

-- name: save_duties
-- Take over who owes reports of what, one array per column. What is new, or has come
-- back, is expected from now on.
INSERT INTO alerting.duty AS d (
    agency, indicator, agency_name, indicator_name, indicator_name_vi, locality,
    locality_kind, province, timezone, cadence, is_required, mark, noted, turned,
    next_reading, voice, voice_since
)
SELECT
    n.agency, n.indicator, n.agency_name, n.indicator_name, n.indicator_name_vi,
    n.locality, n.locality_kind, n.province, n.timezone, n.cadence, n.is_required,
    l.reading, l.reading, l.reading, l.reading, 'heard', clock_timestamp()
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::text[], $9::text[], $10::interval[], $11::boolean[]
) AS n (
    agency, indicator, agency_name, indicator_name, indicator_name_vi, locality,
    locality_kind, province, timezone, cadence, is_required
)
CROSS JOIN alerting.listening AS l
ORDER BY n.agency, n.indicator
ON CONFLICT (agency, indicator) DO UPDATE
SET agency_name = excluded.agency_name, indicator_name = excluded.indicator_name,
    indicator_name_vi = excluded.indicator_name_vi, locality = excluded.locality,
    locality_kind = excluded.locality_kind, province = excluded.province,
    timezone = excluded.timezone, cadence = excluded.cadence,
    is_required = excluded.is_required, is_removed = false,
    -- Looked at soon: the cadence may be another.
    next_reading = excluded.next_reading,
    expected_at = CASE
        WHEN d.is_removed THEN clock_timestamp() ELSE d.expected_at
    END,
    mark = CASE WHEN d.is_removed THEN excluded.mark ELSE d.mark END,
    noted = CASE WHEN d.is_removed THEN excluded.noted ELSE d.noted END

-- name: remove_duties
-- Note who owes nothing more: all but agencies $1 with indicators $2. Their alerts end
-- at the next look.
UPDATE alerting.duty AS d
SET is_removed = true, voice = 'heard', voice_since = clock_timestamp(),
    next_reading = NULL
WHERE NOT d.is_removed
    AND NOT EXISTS (
        SELECT FROM unnest($1::text[], $2::text[]) AS n (agency, indicator)
        WHERE n.agency = d.agency AND n.indicator = d.indicator
    )

-- name: clear_required
-- Forget which required agencies feed which units.
DELETE FROM alerting.unit_required

-- name: add_required
-- Required agencies ($2) feed units ($1).
INSERT INTO alerting.unit_required (unit_id, agency)
SELECT * FROM unnest($1::bigint[], $2::text[])

-- name: lock_listening
-- Be the one that listens until the transaction ends; no row: another one is.
SELECT reading, seen_at, gaps_at FROM alerting.listening FOR UPDATE SKIP LOCKED

-- name: save_listening
-- The listening clock reads $1 and has run until $2; $3: what targets lack has changed.
UPDATE alerting.listening
SET reading = $1, seen_at = $2,
    gaps_at = CASE WHEN $3::boolean THEN '-infinity' ELSE gaps_at END

-- name: read_duties
-- At most $2 duties to look at when the clock reads $1, longest unseen first: those in
-- which the clock may have changed something, those of which a report came (of one that
-- is heard from, at most once a minute), and those whose alert changes by the clock or
-- has to end. $3: we are behind, so only alerts that must stand still.
SELECT
    d.agency, d.indicator, d.agency_name, d.indicator_name, d.indicator_name_vi,
    d.locality, d.province, d.timezone, d.cadence, d.is_required, d.is_removed, d.expected_at,
    d.heard_at, d.mark, d.noted, d.turned, d.voice, d.voice_since, r.reported_at,
    a.state, a.episode, a.state_since, a.pending_since, a.firing_since, a.resolved_at,
    a.credited, a.seen_at, a.was_kept
FROM alerting.duty AS d
LEFT JOIN alerting.last_report AS r USING (agency, indicator)
LEFT JOIN alerting.alert AS a
    ON a.agency = d.agency AND a.indicator = d.indicator AND a.kind = 'AgencySilent'
WHERE CASE
    WHEN $3::boolean THEN NOT d.is_removed AND a.state IN ('pending', 'kept')
    WHEN d.is_removed THEN a.state IN ('pending', 'firing', 'kept')
    ELSE
        d.next_reading <= $1
        OR (
            r.reported_at > coalesce(d.heard_at, '-infinity')
            AND (
                d.voice <> 'heard'
                OR d.heard_at IS NULL
                OR d.noted <= $1::interval - interval '1 minute'
            )
        )
        OR (
            a.state IN ('pending', 'kept')
            AND d.noted <= $1::interval - interval '10 seconds'
        )
END
ORDER BY d.noted, d.agency, d.indicator
LIMIT $2

-- name: save_hearings
-- What was heard of agencies $1 and indicators $2, one array per column.
UPDATE alerting.duty AS d
SET heard_at = n.heard_at, mark = n.mark, noted = n.noted, turned = n.turned,
    next_reading = n.next_reading, voice = n.voice, voice_since = n.voice_since
FROM unnest(
    $1::text[], $2::text[], $3::timestamptz[], $4::interval[], $5::interval[],
    $6::interval[], $7::interval[], $8::text[], $9::timestamptz[]
) AS n (
    agency, indicator, heard_at, mark, noted, turned, next_reading, voice, voice_since
)
WHERE d.agency = n.agency AND d.indicator = n.indicator

-- name: are_gaps_due
-- Whether what targets lack has changed, or was worked out more than $1 ago.
SELECT gaps_at < clock_timestamp() - $1::interval FROM alerting.listening

-- name: read_brought
-- What agencies brought of the last $1 reported days of every unit that one of those
-- silent or returning feeds; of a unit that has only statements, of its level.
WITH unheard AS (
    SELECT agency, indicator FROM alerting.duty
    WHERE voice <> 'heard' AND NOT is_removed
),
fed AS (
    SELECT DISTINCT l.unit_id
    FROM unheard AS s
    JOIN alerting.series AS r ON r.indicator = s.indicator AND r.agency = s.agency
    JOIN alerting.unit_leaf AS l
        ON l.indicator = r.indicator
        AND l.leaf = r.locality
        AND l.leaf_valid_from = r.valid_from
),
since AS (
    SELECT f.unit_id, u.until, min(x.day) AS first_day
    FROM fed AS f
    JOIN alerting.unit AS u USING (unit_id)
    LEFT JOIN LATERAL (
        SELECT y.day FROM alerting.unit_day AS y
        WHERE y.unit_id = f.unit_id
        ORDER BY y.day DESC
        LIMIT $1
    ) AS x ON true
    GROUP BY f.unit_id, u.until
),
brought AS (
    SELECT p.unit_id, d.indicator, d.agency, sum(abs(d.count)) AS size
    FROM since AS p
    JOIN alerting.unit_leaf AS l USING (unit_id)
    JOIN alerting.daily_total AS d
        ON d.indicator = l.indicator
        AND d.locality = l.leaf
        AND d.valid_from = l.leaf_valid_from
        AND d.day >= p.first_day
        AND (p.until IS NULL OR d.day <= p.until)
    GROUP BY p.unit_id, d.indicator, d.agency
    UNION ALL
    SELECT p.unit_id, r.indicator, r.agency, sum(abs(r.level))
    FROM since AS p
    JOIN alerting.unit_leaf AS l USING (unit_id)
    JOIN alerting.series AS r
        ON r.indicator = l.indicator
        AND r.locality = l.leaf
        AND r.valid_from = l.leaf_valid_from
    WHERE p.first_day IS NULL
    GROUP BY p.unit_id, r.indicator, r.agency
)
SELECT b.unit_id, b.agency, b.size, s.agency IS NOT NULL AS is_unheard
FROM brought AS b
LEFT JOIN unheard AS s USING (agency, indicator)

-- name: read_required_gaps
-- Required agencies that are silent, returning, or never reported, by unit.
SELECT q.unit_id, q.agency, d.voice <> 'heard' AS is_silent
FROM alerting.unit_required AS q
JOIN alerting.unit AS u USING (unit_id)
JOIN alerting.duty AS d ON d.agency = q.agency AND d.indicator = u.indicator
WHERE NOT d.is_removed AND (d.voice <> 'heard' OR d.heard_at IS NULL)

-- name: clear_silences
-- Forget what agencies brought, before it is written anew.
DELETE FROM alerting.unit_silence

-- name: add_silences
-- Of units $1 silent agencies $2 brought $3 basis points; $4 whether they are required.
INSERT INTO alerting.unit_silence (unit_id, agency, share_bp, is_required)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::boolean[])

-- name: save_gaps
-- Units $1 lack $2 basis points and, where not null, for the reason $3 a required
-- agency; all others lack nothing. Returns those in which something changed.
WITH wanted AS (
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[])
        AS n (unit_id, silent_bp, required_gap)
)
UPDATE alerting.unit AS u
SET silent_bp = coalesce(n.silent_bp, 0), required_gap = n.required_gap
FROM alerting.unit AS o
LEFT JOIN wanted AS n USING (unit_id)
WHERE u.unit_id = o.unit_id
    AND (u.silent_bp, u.required_gap)
        IS DISTINCT FROM (coalesce(n.silent_bp, 0), n.required_gap)
RETURNING u.unit_id

-- name: note_gaps
-- What targets lack has been worked out.
UPDATE alerting.listening SET gaps_at = clock_timestamp()

-- name: count_silent
-- How many indicators each agency that owes any is silent on, for metrics.
SELECT agency, count(*) FILTER (WHERE voice = 'silent') AS silent
FROM alerting.duty
WHERE NOT is_removed AND cadence IS NOT NULL
GROUP BY agency
