-- What agencies claim, copied and held against what was counted of theirs.

-- name: apply_claims
-- Take over claims, one array per column, and have them compared; as `apply_days`, of
-- one batch the last row of the highest revision counts.
WITH incoming AS (
    SELECT DISTINCT ON (i.agency, i.indicator, i.day) i.*
    FROM unnest(
        $1::text[], $2::text[], $3::date[], $4::numeric[], $5::integer[], $6::bigint[]
    ) WITH ORDINALITY AS i (
        agency, indicator, day, claimed, partition, revision, place
    )
    ORDER BY i.agency, i.indicator, i.day, i.revision DESC, i.place DESC
),
written AS (
    INSERT INTO alerting.claim AS c (
        agency, indicator, day, claimed, partition, revision
    )
    SELECT agency, indicator, day, claimed, partition, revision FROM incoming
    ON CONFLICT (agency, indicator, day) DO UPDATE
    SET claimed = excluded.claimed, partition = excluded.partition,
        revision = excluded.revision
    WHERE
        c.revision < excluded.revision
        OR (
            c.revision = excluded.revision
            AND c.claimed IS DISTINCT FROM excluded.claimed
        )
    RETURNING c.agency, c.indicator
)
INSERT INTO alerting.comparison AS c (agency, indicator, next_look_at)
SELECT DISTINCT agency, indicator, clock_timestamp() FROM written
ORDER BY agency, indicator
ON CONFLICT (agency, indicator) DO UPDATE SET next_look_at = excluded.next_look_at

-- name: mark_claimed_days
-- Have claims compared of agencies $1 and indicators $2 whose counts of days $3 have
-- changed.
UPDATE alerting.comparison AS c
SET next_look_at = clock_timestamp()
FROM (
    -- Locked in one order by everybody who waits for these locks.
    SELECT k.agency, k.indicator
    FROM alerting.comparison AS k
    WHERE (k.agency, k.indicator) IN (
        SELECT m.agency, m.indicator
        FROM unnest($1::text[], $2::text[], $3::date[]) AS n (agency, indicator, day)
        JOIN alerting.claim AS m USING (agency, indicator, day)
    )
    ORDER BY k.agency, k.indicator
    FOR UPDATE
) AS n
WHERE c.agency = n.agency AND c.indicator = n.indicator

-- name: compare_everything
-- Have all claims compared, since the catalogue may be another.
UPDATE alerting.comparison AS c
SET next_look_at = clock_timestamp()
FROM (
    SELECT agency, indicator FROM alerting.comparison
    ORDER BY agency, indicator
    FOR UPDATE
) AS n
WHERE c.agency = n.agency AND c.indicator = n.indicator

-- name: save_senders
-- Agencies $1 may send indicators $2, and nobody anything else; what they send is taken
-- for $3 days.
UPDATE alerting.duty AS d
SET is_sender = n.agency IS NOT NULL, window_days = $3
FROM alerting.duty AS o
LEFT JOIN unnest($1::text[], $2::text[]) AS n (agency, indicator)
    ON n.agency = o.agency AND n.indicator = o.indicator
WHERE d.agency = o.agency AND d.indicator = o.indicator
    AND (d.is_sender, d.window_days)
        IS DISTINCT FROM (n.agency IS NOT NULL, $3::integer)

-- name: read_due_comparisons
-- At most $1 agencies and indicators whose claims are to be compared, longest due
-- first; nobody else compares them until the transaction ends. Of one that the
-- catalogue has never had nothing can be said: it has no duty.
SELECT
    c.agency, c.indicator, d.agency_name, d.indicator_name, d.indicator_name_vi,
    d.locality, d.province, d.timezone, d.cadence, d.expected_at, d.window_days,
    NOT d.is_sender AS is_removed,
    a.state, a.episode, a.state_since, a.pending_since, a.firing_since, a.resolved_at,
    a.credited, a.seen_at, a.was_kept, a.summary_en, a.summary_vi
FROM alerting.comparison AS c
JOIN alerting.duty AS d USING (agency, indicator)
LEFT JOIN alerting.alert AS a
    ON a.agency = c.agency AND a.indicator = c.indicator
    AND a.kind = 'ControlMismatch'
WHERE c.next_look_at <= clock_timestamp()
ORDER BY c.next_look_at, c.agency, c.indicator
LIMIT $1
FOR UPDATE OF c SKIP LOCKED

-- name: read_claims
-- Claims of agencies $1 and indicators $2 from days $3 on, each with what was counted.
SELECT c.agency, c.indicator, c.day, c.claimed, coalesce(t.count, 0) AS counted
FROM unnest($1::text[], $2::text[], $3::date[]) AS n (agency, indicator, since)
JOIN alerting.claim AS c
    ON c.agency = n.agency AND c.indicator = n.indicator AND c.day >= n.since
LEFT JOIN LATERAL (
    SELECT sum(d.count) AS count
    FROM alerting.daily_total AS d
    WHERE d.agency = c.agency AND d.indicator = c.indicator AND d.day = c.day
) AS t ON true
WHERE c.claimed IS NOT NULL

-- name: save_comparisons
-- Claims of agencies $1 and indicators $2 were compared: look again at $3, $4 days
-- differ.
UPDATE alerting.comparison AS c
SET next_look_at = coalesce(n.next_look_at, 'infinity'),
    differing_days = n.differing_days
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::integer[])
    AS n (agency, indicator, next_look_at, differing_days)
WHERE c.agency = n.agency AND c.indicator = n.indicator

-- name: count_differing
-- How many days each agency claims otherwise than was counted, for metrics.
SELECT c.agency, coalesce(sum(c.differing_days), 0)::bigint AS days
FROM alerting.comparison AS c
JOIN alerting.duty AS d USING (agency, indicator)
WHERE d.is_sender
GROUP BY c.agency
