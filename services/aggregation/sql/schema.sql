--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: aggregation; Type: SCHEMA; Schema: -; Owner: uptake_aggregation
--

CREATE SCHEMA aggregation;

ALTER SCHEMA aggregation OWNER TO uptake_aggregation;

--
-- Name: aggregation_next; Type: SCHEMA; Schema: -; Owner: uptake_aggregation
--

CREATE SCHEMA aggregation_next;

ALTER SCHEMA aggregation_next OWNER TO uptake_aggregation;

--
-- Name: aggregation_old; Type: SCHEMA; Schema: -; Owner: uptake_aggregation
--

CREATE SCHEMA aggregation_old;

ALTER SCHEMA aggregation_old OWNER TO uptake_aggregation;

--
-- Name: reporting; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA reporting;

ALTER SCHEMA reporting OWNER TO postgres;

--
-- Name: check_kept(timestamp with time zone); Type: FUNCTION; Schema: aggregation; Owner: uptake_aggregation
--

CREATE FUNCTION aggregation.check_kept(at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    AS $$
DECLARE
    since CONSTANT timestamptz := (SELECT kept_since FROM reporting.ledger_kept);
BEGIN
    IF at < since THEN
        RAISE EXCEPTION 'the ledger is kept since %; what was known at % cannot be told any more',
            to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN true;
END
$$;

ALTER FUNCTION aggregation.check_kept(at timestamp with time zone) OWNER TO uptake_aggregation;

--
-- Name: daily_total_known_at(timestamp with time zone); Type: FUNCTION; Schema: reporting; Owner: uptake_aggregation
--

CREATE FUNCTION reporting.daily_total_known_at(at timestamp with time zone) RETURNS TABLE(indicator text, agency text, locality text, valid_from date, day date, count numeric, amount numeric)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    AS $$
    WITH later AS (
        SELECT key, kind, series_id, day, count, amount, voided_by, log_offset
        FROM aggregation.ledger
        WHERE logged_at > at
    ),
    effects AS (
        SELECT series_id, day, count, amount FROM aggregation.daily_total
        UNION ALL
        SELECT series_id, day, -count, -amount
        FROM later
        WHERE kind = 'c' AND voided_by IS NULL
        UNION ALL
        SELECT o.series_id, o.day, o.count, o.amount
        FROM later AS l
        JOIN aggregation.reversal AS r USING (key)
        JOIN aggregation.ledger AS o ON o.key = r.reversed_key
        WHERE
            l.kind = 'r' AND o.kind = 'c' AND o.voided_by = l.log_offset
            AND o.logged_at <= at
    )
    SELECT
        s.indicator, s.agency, s.locality, s.valid_from, e.day,
        sum(e.count), sum(e.amount)
    FROM effects AS e
    JOIN aggregation.series AS s USING (series_id)
    WHERE (SELECT aggregation.check_kept(at))
    GROUP BY s.series_id, e.day
    HAVING sum(e.count) <> 0 OR sum(e.amount) <> 0
$$;

ALTER FUNCTION reporting.daily_total_known_at(at timestamp with time zone) OWNER TO uptake_aggregation;

--
-- Name: leaf_total_known_at(date, timestamp with time zone); Type: FUNCTION; Schema: reporting; Owner: uptake_aggregation
--

CREATE FUNCTION reporting.leaf_total_known_at(on_day date, at timestamp with time zone) RETURNS TABLE(indicator text, agency text, locality text, valid_from date, count numeric, amount numeric)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    AS $$
    WITH standing AS (
        SELECT
            indicator, agency, locality, valid_from, day, occurred_at, source, id, level
        FROM aggregation.statement
        WHERE logged_at <= at
        UNION ALL
        SELECT
            s.indicator, s.agency, s.locality, s.valid_from, o.day, o.occurred_at,
            g.source, o.id, o.count
        FROM aggregation.ledger AS l
        JOIN aggregation.reversal AS r USING (key)
        JOIN aggregation.ledger AS o ON o.key = r.reversed_key
        JOIN aggregation.series AS s ON s.series_id = o.series_id
        JOIN aggregation.origin AS g ON g.origin_id = o.origin_id
        WHERE
            l.logged_at > at AND l.kind = 'r' AND o.kind = 's'
            AND o.voided_by = l.log_offset AND o.logged_at <= at
    ),
    stated AS (
        SELECT DISTINCT ON (indicator, agency, locality, valid_from)
            indicator, agency, locality, valid_from, day, level
        FROM standing
        WHERE day <= on_day
        ORDER BY
            indicator, agency, locality, valid_from,
            day DESC, occurred_at DESC, source COLLATE "C" DESC, id COLLATE "C" DESC
    ),
    effects AS (
        SELECT
            d.indicator, d.agency, d.locality, d.valid_from,
            sum(d.count) FILTER (WHERE s.day IS NULL OR d.day > s.day) AS count,
            sum(d.amount) AS amount
        FROM reporting.daily_total_known_at(at) AS d
        LEFT JOIN stated AS s USING (indicator, agency, locality, valid_from)
        WHERE d.day <= on_day
        GROUP BY d.indicator, d.agency, d.locality, d.valid_from
    )
    SELECT
        indicator, agency, locality, valid_from,
        coalesce(s.level, 0) + coalesce(e.count, 0),
        coalesce(e.amount, 0)
    FROM effects AS e
    FULL JOIN stated AS s USING (indicator, agency, locality, valid_from)
$$;

ALTER FUNCTION reporting.leaf_total_known_at(on_day date, at timestamp with time zone) OWNER TO uptake_aggregation;

--
-- Name: leaf_total_on(date); Type: FUNCTION; Schema: reporting; Owner: uptake_aggregation
--

CREATE FUNCTION reporting.leaf_total_on(on_day date) RETURNS TABLE(indicator text, agency text, locality text, valid_from date, count numeric, amount numeric)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    AS $$
    WITH stated AS (
        SELECT DISTINCT ON (s.indicator, s.agency, s.locality, s.valid_from)
            s.indicator, s.agency, s.locality, s.valid_from, s.day, s.level
        FROM aggregation.statement AS s
        WHERE s.day <= on_day
        ORDER BY
            s.indicator, s.agency, s.locality, s.valid_from,
            s.day DESC, s.occurred_at DESC,
            s.source COLLATE "C" DESC, s.id COLLATE "C" DESC
    ),
    effects AS (
        SELECT
            p.indicator, p.agency, p.locality, p.valid_from,
            sum(d.count) FILTER (WHERE s.day IS NULL OR d.day > s.day) AS count,
            sum(d.amount) AS amount
        FROM aggregation.daily_total AS d
        JOIN aggregation.series AS p USING (series_id)
        LEFT JOIN stated AS s USING (indicator, agency, locality, valid_from)
        WHERE d.day <= on_day
        GROUP BY p.series_id
    )
    SELECT
        indicator, agency, locality, valid_from,
        coalesce(s.level, 0) + coalesce(e.count, 0),
        coalesce(e.amount, 0)
    FROM effects AS e
    FULL JOIN stated AS s USING (indicator, agency, locality, valid_from)
$$;

ALTER FUNCTION reporting.leaf_total_on(on_day date) OWNER TO uptake_aggregation;

--
-- Name: running_total_known_at(date, timestamp with time zone); Type: FUNCTION; Schema: reporting; Owner: uptake_aggregation
--

CREATE FUNCTION reporting.running_total_known_at(on_day date, at timestamp with time zone) RETURNS TABLE(indicator text, locality text, valid_from date, name text, kind text, count numeric, amount numeric)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    AS $$
    SELECT
        t.indicator, a.code, a.valid_from, l.name, l.kind,
        sum(t.count), sum(t.amount)
    FROM reporting.leaf_total_known_at(on_day, at) AS t
    JOIN aggregation.locality_above AS a
        ON a.leaf = t.locality AND a.leaf_valid_from = t.valid_from
    JOIN aggregation.locality AS l
        ON l.code = a.code AND l.valid_from = a.valid_from
    GROUP BY t.indicator, a.code, a.valid_from, l.name, l.kind
$$;

ALTER FUNCTION reporting.running_total_known_at(on_day date, at timestamp with time zone) OWNER TO uptake_aggregation;

--
-- Name: running_total_on(date); Type: FUNCTION; Schema: reporting; Owner: uptake_aggregation
--

CREATE FUNCTION reporting.running_total_on(on_day date) RETURNS TABLE(indicator text, locality text, valid_from date, name text, kind text, count numeric, amount numeric)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    AS $$
    SELECT
        t.indicator, t.locality, t.valid_from, t.name, t.kind, t.count, t.amount
    FROM reporting.running_total_by_day AS t
    WHERE t.day = (SELECT least(on_day, last_day) FROM reporting.covered_days)
$$;

ALTER FUNCTION reporting.running_total_on(on_day date) OWNER TO uptake_aggregation;

--
-- Name: source_id_hash(text, text); Type: FUNCTION; Schema: reporting; Owner: uptake_aggregation
--

CREATE FUNCTION reporting.source_id_hash(source text, id text) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT sha256(convert_to(jsonb_build_array(source, id)::text, 'UTF8'))
$$;

ALTER FUNCTION reporting.source_id_hash(source text, id text) OWNER TO uptake_aggregation;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: carried_level; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.carried_level (
    day date NOT NULL,
    series_id integer NOT NULL,
    count numeric NOT NULL,
    amount numeric NOT NULL
)
WITH (fillfactor='80');

ALTER TABLE aggregation.carried_level OWNER TO uptake_aggregation;

--
-- Name: carry; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.carry (
    day date NOT NULL
);

ALTER TABLE aggregation.carry OWNER TO uptake_aggregation;

--
-- Name: control; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.control (
    source text NOT NULL,
    id text NOT NULL,
    indicator text NOT NULL,
    agency text NOT NULL,
    day date NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    claimed bigint NOT NULL,
    CONSTRAINT control_claimed_check CHECK ((claimed >= 0))
);

ALTER TABLE aggregation.control OWNER TO uptake_aggregation;

--
-- Name: daily_total; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.daily_total (
    series_id integer NOT NULL,
    day date NOT NULL,
    count numeric NOT NULL,
    amount numeric NOT NULL
);

ALTER TABLE aggregation.daily_total OWNER TO uptake_aggregation;

--
-- Name: event_type; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.event_type (
    type_id smallint NOT NULL,
    type text NOT NULL
);

ALTER TABLE aggregation.event_type OWNER TO uptake_aggregation;

--
-- Name: event_type_type_id_seq; Type: SEQUENCE; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE aggregation.event_type ALTER COLUMN type_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME aggregation.event_type_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: last_report; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.last_report (
    agency text NOT NULL,
    indicator text NOT NULL,
    logged_at timestamp with time zone NOT NULL
);

ALTER TABLE aggregation.last_report OWNER TO uptake_aggregation;

--
-- Name: ledger; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.ledger (
    key uuid NOT NULL,
    logged_at timestamp with time zone NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    log_offset bigint NOT NULL,
    count bigint,
    amount bigint,
    voided_by bigint,
    origin_id integer NOT NULL,
    series_id integer,
    day date NOT NULL,
    partition smallint NOT NULL,
    type_id smallint NOT NULL,
    kind "char" NOT NULL,
    id text NOT NULL,
    CONSTRAINT ledger_check CHECK (((kind = 'r'::"char") OR ((series_id IS NOT NULL) AND (count IS NOT NULL)))),
    CONSTRAINT ledger_kind_check CHECK ((kind = ANY (ARRAY['c'::"char", 's'::"char", 'k'::"char", 'r'::"char"])))
)
WITH (autovacuum_vacuum_scale_factor='0.02');

ALTER TABLE aggregation.ledger OWNER TO uptake_aggregation;

--
-- Name: ledger_dropped; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.ledger_dropped (
    partition integer NOT NULL,
    counted bigint NOT NULL,
    reversed bigint NOT NULL
);

ALTER TABLE aggregation.ledger_dropped OWNER TO uptake_aggregation;

--
-- Name: locality; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.locality (
    code text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    kind text NOT NULL,
    name text NOT NULL
);

ALTER TABLE aggregation.locality OWNER TO uptake_aggregation;

--
-- Name: locality_above; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.locality_above (
    leaf text NOT NULL,
    leaf_valid_from date NOT NULL,
    code text NOT NULL,
    valid_from date NOT NULL
);

ALTER TABLE aggregation.locality_above OWNER TO uptake_aggregation;

--
-- Name: origin; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.origin (
    origin_id integer NOT NULL,
    source text NOT NULL,
    agency text NOT NULL
);

ALTER TABLE aggregation.origin OWNER TO uptake_aggregation;

--
-- Name: origin_origin_id_seq; Type: SEQUENCE; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE aggregation.origin ALTER COLUMN origin_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME aggregation.origin_origin_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: outbox_change; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.outbox_change (
    change_id bigint NOT NULL,
    partition integer NOT NULL,
    keys integer NOT NULL,
    kind "char" NOT NULL,
    series_ids integer[] NOT NULL,
    days date[] NOT NULL,
    CONSTRAINT outbox_change_check CHECK (((keys = cardinality(series_ids)) AND (keys = cardinality(days)))),
    CONSTRAINT outbox_change_kind_check CHECK ((kind = ANY (ARRAY['d'::"char", 'k'::"char", 's'::"char", 'l'::"char"])))
);

ALTER TABLE aggregation.outbox_change OWNER TO uptake_aggregation;

--
-- Name: outbox_change_change_id_seq; Type: SEQUENCE; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE aggregation.outbox_change ALTER COLUMN change_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME aggregation.outbox_change_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: outbox_rejected; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.outbox_rejected (
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    logged_at timestamp with time zone NOT NULL,
    record_key bytea,
    record_value bytea
);

ALTER TABLE aggregation.outbox_rejected OWNER TO uptake_aggregation;

--
-- Name: progress; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.progress (
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    last_record_hash bytea,
    last_logged_at timestamp with time zone,
    counted bigint DEFAULT 0 NOT NULL,
    duplicates bigint DEFAULT 0 NOT NULL,
    reversed bigint DEFAULT 0 NOT NULL,
    rejected bigint DEFAULT 0 NOT NULL,
    kept_since timestamp with time zone,
    CONSTRAINT every_record_has_one_class CHECK ((next_offset = (((counted + duplicates) + reversed) + rejected))),
    CONSTRAINT progress_counted_check CHECK ((counted >= 0)),
    CONSTRAINT progress_duplicates_check CHECK ((duplicates >= 0)),
    CONSTRAINT progress_last_record_hash_check CHECK ((octet_length(last_record_hash) = 32)),
    CONSTRAINT progress_next_offset_check CHECK ((next_offset >= 0)),
    CONSTRAINT progress_partition_check CHECK ((partition >= 0)),
    CONSTRAINT progress_rejected_check CHECK ((rejected >= 0)),
    CONSTRAINT progress_reversed_check CHECK ((reversed >= 0))
);

ALTER TABLE aggregation.progress OWNER TO uptake_aggregation;

--
-- Name: rejection; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.rejection (
    source_id_hash bytea NOT NULL,
    agency text NOT NULL,
    source text NOT NULL,
    id text NOT NULL,
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    logged_at timestamp with time zone NOT NULL,
    code text NOT NULL,
    detail text NOT NULL
);

ALTER TABLE aggregation.rejection OWNER TO uptake_aggregation;

--
-- Name: reversal; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.reversal (
    key uuid NOT NULL,
    reversed_key uuid NOT NULL,
    reversed_occurred_at timestamp with time zone NOT NULL,
    log_offset bigint NOT NULL,
    reversed_source text NOT NULL,
    reversed_id text NOT NULL
);

ALTER TABLE aggregation.reversal OWNER TO uptake_aggregation;

--
-- Name: series; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.series (
    series_id integer NOT NULL,
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text,
    valid_from date
);

ALTER TABLE aggregation.series OWNER TO uptake_aggregation;

--
-- Name: series_series_id_seq; Type: SEQUENCE; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE aggregation.series ALTER COLUMN series_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME aggregation.series_series_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: statement; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.statement (
    source text NOT NULL,
    id text NOT NULL,
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    day date NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    level bigint NOT NULL,
    logged_at timestamp with time zone NOT NULL,
    CONSTRAINT statement_level_check CHECK ((level >= 0))
);

ALTER TABLE aggregation.statement OWNER TO uptake_aggregation;

--
-- Name: tree_version; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.tree_version (
    only_one boolean DEFAULT true NOT NULL,
    digest text NOT NULL,
    CONSTRAINT tree_version_only_one_check CHECK (only_one)
);

ALTER TABLE aggregation.tree_version OWNER TO uptake_aggregation;

--
-- Name: watermark; Type: TABLE; Schema: aggregation; Owner: uptake_aggregation
--

CREATE TABLE aggregation.watermark (
    partition integer NOT NULL,
    complete_up_to timestamp with time zone NOT NULL
);

ALTER TABLE aggregation.watermark OWNER TO uptake_aggregation;

--
-- Name: covered_days; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.covered_days AS
 SELECT first_day,
    last_day
   FROM ( SELECT LEAST(( SELECT min(t.day) AS min
                   FROM aggregation.daily_total t), ( SELECT min(s.day) AS min
                   FROM aggregation.statement s)) AS first_day,
            GREATEST(( SELECT max(t.day) AS max
                   FROM aggregation.daily_total t), ( SELECT max(s.day) AS max
                   FROM aggregation.statement s)) AS last_day) d
  WHERE (first_day IS NOT NULL);

ALTER VIEW reporting.covered_days OWNER TO uptake_aggregation;

--
-- Name: carried_difference; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.carried_difference AS
 WITH span AS (
         SELECT c.day,
            lag(c.day) OVER (ORDER BY c.day) AS base
           FROM aggregation.carry c
        ), stated AS (
         SELECT DISTINCT ON (c.day, s.indicator, s.agency, s.locality, s.valid_from) c.day AS carried,
            p_1.series_id,
            s.day,
            s.level
           FROM ((span c
             JOIN aggregation.statement s ON (((s.day > COALESCE(c.base, '-infinity'::date)) AND (s.day <= c.day))))
             JOIN aggregation.series p_1 USING (indicator, agency, locality, valid_from))
          ORDER BY c.day, s.indicator, s.agency, s.locality, s.valid_from, s.day DESC, s.occurred_at DESC, (s.source COLLATE "C") DESC, (s.id COLLATE "C") DESC
        ), summed AS (
         SELECT e_1.carried AS day,
            e_1.series_id,
            sum(
                CASE
                    WHEN (e_1.day <= s.day) THEN (0)::numeric
                    ELSE e_1.count
                END) AS count,
            sum(e_1.amount) AS amount
           FROM (( SELECT c.day AS carried,
                    k_1.series_id,
                    k_1.day,
                    k_1.count,
                    k_1.amount
                   FROM (span c
                     JOIN aggregation.carried_level k_1 ON ((k_1.day = c.base)))
                UNION ALL
                 SELECT c.day,
                    t.series_id,
                    t.day,
                    t.count,
                    t.amount
                   FROM (((span c
                     CROSS JOIN reporting.covered_days f)
                     CROSS JOIN LATERAL generate_series(0, (c.day - COALESCE((c.base + 1), f.first_day))) n(n))
                     JOIN aggregation.daily_total t ON ((t.day = (COALESCE((c.base + 1), f.first_day) + n.n))))
                UNION ALL
                 SELECT o.carried,
                    o.series_id,
                    NULL::date AS day,
                    o.level AS count,
                    0 AS amount
                   FROM stated o) e_1
             LEFT JOIN stated s USING (carried, series_id))
          GROUP BY e_1.carried, e_1.series_id
        )
 SELECT day,
    p.indicator,
    p.agency,
    p.locality,
    p.valid_from,
    COALESCE(k.count, (0)::numeric) AS carried_count,
    COALESCE(k.amount, (0)::numeric) AS carried_amount,
    COALESCE(e.count, (0)::numeric) AS summed_count,
    COALESCE(e.amount, (0)::numeric) AS summed_amount
   FROM ((aggregation.carried_level k
     FULL JOIN summed e USING (day, series_id))
     LEFT JOIN aggregation.series p USING (series_id))
  WHERE ((COALESCE(k.count, (0)::numeric) <> COALESCE(e.count, (0)::numeric)) OR (COALESCE(k.amount, (0)::numeric) <> COALESCE(e.amount, (0)::numeric)));

ALTER VIEW reporting.carried_difference OWNER TO uptake_aggregation;

--
-- Name: completeness; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.completeness AS
 SELECT
        CASE
            WHEN (count(*) = count(w.partition)) THEN min(w.complete_up_to)
            ELSE NULL::timestamp with time zone
        END AS complete_up_to
   FROM (aggregation.progress p
     LEFT JOIN aggregation.watermark w USING (partition))
 HAVING (count(*) > 0);

ALTER VIEW reporting.completeness OWNER TO uptake_aggregation;

--
-- Name: control; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.control AS
 SELECT c.indicator,
    c.agency,
    c.day,
    c.claimed,
    COALESCE(d.count, (0)::numeric) AS counted,
    ((c.claimed)::numeric - COALESCE(d.count, (0)::numeric)) AS difference
   FROM (( SELECT DISTINCT ON (control.indicator, control.agency, control.day) control.indicator,
            control.agency,
            control.day,
            control.claimed
           FROM aggregation.control
          ORDER BY control.indicator, control.agency, control.day, control.occurred_at DESC, (control.source COLLATE "C") DESC, (control.id COLLATE "C") DESC) c
     LEFT JOIN LATERAL ( SELECT sum(t.count) AS count
           FROM (aggregation.series s
             JOIN aggregation.daily_total t USING (series_id))
          WHERE ((s.indicator = c.indicator) AND (s.agency = c.agency) AND (t.day = c.day))) d ON (true));

ALTER VIEW reporting.control OWNER TO uptake_aggregation;

--
-- Name: daily_total; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.daily_total AS
 SELECT s.indicator,
    s.agency,
    s.locality,
    s.valid_from,
    d.day,
    d.count,
    d.amount
   FROM (aggregation.daily_total d
     JOIN aggregation.series s USING (series_id));

ALTER VIEW reporting.daily_total OWNER TO uptake_aggregation;

--
-- Name: last_report; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.last_report AS
 SELECT agency,
    indicator,
    logged_at
   FROM aggregation.last_report;

ALTER VIEW reporting.last_report OWNER TO uptake_aggregation;

--
-- Name: ledger; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.ledger AS
 SELECT o.source,
    l.id,
    (l.kind)::text AS kind,
    t.type,
    l.partition,
    l.log_offset,
    l.logged_at,
    l.occurred_at,
    o.agency,
    s.indicator,
    s.locality,
    s.valid_from,
    l.day,
    l.count,
    l.amount,
    (l.voided_by IS NOT NULL) AS voided,
    l.key,
    l.voided_by
   FROM (((aggregation.ledger l
     JOIN aggregation.origin o USING (origin_id))
     JOIN aggregation.event_type t USING (type_id))
     LEFT JOIN aggregation.series s USING (series_id));

ALTER VIEW reporting.ledger OWNER TO uptake_aggregation;

--
-- Name: ledger_dropped; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.ledger_dropped AS
 SELECT partition,
    counted,
    reversed
   FROM aggregation.ledger_dropped;

ALTER VIEW reporting.ledger_dropped OWNER TO uptake_aggregation;

--
-- Name: ledger_kept; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.ledger_kept AS
 SELECT max(p.kept_since) AS kept_since
   FROM (aggregation.progress p
     JOIN aggregation.ledger_dropped d USING (partition))
 HAVING (count(*) > 0);

ALTER VIEW reporting.ledger_kept OWNER TO uptake_aggregation;

--
-- Name: locality; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.locality AS
 SELECT code,
    valid_from,
    valid_to,
    kind,
    name
   FROM aggregation.locality;

ALTER VIEW reporting.locality OWNER TO uptake_aggregation;

--
-- Name: locality_above; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.locality_above AS
 SELECT leaf,
    leaf_valid_from,
    code,
    valid_from
   FROM aggregation.locality_above;

ALTER VIEW reporting.locality_above OWNER TO uptake_aggregation;

--
-- Name: progress; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.progress AS
 SELECT partition,
    next_offset,
    next_offset AS applied,
    counted,
    duplicates,
    reversed,
    rejected,
    last_logged_at
   FROM aggregation.progress;

ALTER VIEW reporting.progress OWNER TO uptake_aggregation;

--
-- Name: rejection; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.rejection AS
 SELECT source,
    id,
    agency,
    partition,
    log_offset,
    logged_at,
    code,
    detail,
    source_id_hash
   FROM aggregation.rejection;

ALTER VIEW reporting.rejection OWNER TO uptake_aggregation;

--
-- Name: running_total_by_day; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.running_total_by_day AS
 SELECT d.day,
    u.indicator,
    u.locality,
    u.valid_from,
    l.name,
    l.kind,
    u.count,
    u.amount
   FROM ((( SELECT (f.first_day + n.n) AS day,
            f.first_day,
            ( SELECT max(c.day) AS max
                   FROM aggregation.carry c
                  WHERE (c.day <= (f.first_day + n.n))) AS base
           FROM (reporting.covered_days f
             CROSS JOIN LATERAL generate_series(0, (f.last_day - f.first_day)) n(n))) d
     CROSS JOIN LATERAL ( WITH stated AS (
                 SELECT DISTINCT ON (s.indicator, s.agency, s.locality, s.valid_from) p.series_id,
                    s.day,
                    s.level
                   FROM (aggregation.statement s
                     JOIN aggregation.series p USING (indicator, agency, locality, valid_from))
                  WHERE ((s.day > COALESCE(d.base, '-infinity'::date)) AND (s.day <= d.day))
                  ORDER BY s.indicator, s.agency, s.locality, s.valid_from, s.day DESC, s.occurred_at DESC, (s.source COLLATE "C") DESC, (s.id COLLATE "C") DESC
                )
         SELECT e.indicator,
            e.locality,
            e.valid_from,
            sum(e.count) AS count,
            sum(e.amount) AS amount
           FROM ( SELECT p.indicator,
                    a.code AS locality,
                    a.valid_from,
                        CASE
                            WHEN (k.day <= s.day) THEN (0)::numeric
                            ELSE k.count
                        END AS count,
                    k.amount
                   FROM (((aggregation.locality_above a
                     JOIN aggregation.series p ON (((p.locality = a.leaf) AND (p.valid_from = a.leaf_valid_from))))
                     JOIN aggregation.carried_level k ON (((k.series_id = p.series_id) AND (k.day = d.base))))
                     LEFT JOIN stated s ON ((s.series_id = p.series_id)))
                UNION ALL
                 SELECT p.indicator,
                    a.code AS locality,
                    a.valid_from,
                        CASE
                            WHEN (t.day <= s.day) THEN (0)::numeric
                            ELSE t.count
                        END AS count,
                    t.amount
                   FROM (((aggregation.locality_above a
                     JOIN aggregation.series p ON (((p.locality = a.leaf) AND (p.valid_from = a.leaf_valid_from))))
                     JOIN aggregation.daily_total t ON (((t.series_id = p.series_id) AND (t.day = ANY (ARRAY( SELECT (COALESCE((d.base + 1), d.first_day) + n.n)
                           FROM generate_series(0, (d.day - COALESCE((d.base + 1), d.first_day))) n(n)))))))
                     LEFT JOIN stated s ON ((s.series_id = p.series_id)))
                UNION ALL
                 SELECT p.indicator,
                    a.code AS locality,
                    a.valid_from,
                    (s.level)::numeric AS count,
                    (0)::numeric AS amount
                   FROM ((aggregation.locality_above a
                     JOIN aggregation.series p ON (((p.locality = a.leaf) AND (p.valid_from = a.leaf_valid_from))))
                     JOIN stated s ON ((s.series_id = p.series_id)))) e
          GROUP BY e.indicator, e.locality, e.valid_from) u)
     JOIN aggregation.locality l ON (((l.code = u.locality) AND (l.valid_from = u.valid_from))));

ALTER VIEW reporting.running_total_by_day OWNER TO uptake_aggregation;

--
-- Name: running_total; Type: VIEW; Schema: reporting; Owner: uptake_aggregation
--

CREATE VIEW reporting.running_total AS
 SELECT indicator,
    locality,
    valid_from,
    name,
    kind,
    count,
    amount
   FROM reporting.running_total_by_day
  WHERE (day = ( SELECT covered_days.last_day
           FROM reporting.covered_days));

ALTER VIEW reporting.running_total OWNER TO uptake_aggregation;

--
-- Name: carried_level carried_level_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.carried_level
    ADD CONSTRAINT carried_level_pkey PRIMARY KEY (day, series_id);

--
-- Name: carry carry_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.carry
    ADD CONSTRAINT carry_pkey PRIMARY KEY (day);

--
-- Name: control control_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.control
    ADD CONSTRAINT control_pkey PRIMARY KEY (source, id, occurred_at);

--
-- Name: daily_total daily_total_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.daily_total
    ADD CONSTRAINT daily_total_pkey PRIMARY KEY (day, series_id);

--
-- Name: event_type event_type_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.event_type
    ADD CONSTRAINT event_type_pkey PRIMARY KEY (type_id);

--
-- Name: event_type event_type_type_key; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.event_type
    ADD CONSTRAINT event_type_type_key UNIQUE (type);

--
-- Name: last_report last_report_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.last_report
    ADD CONSTRAINT last_report_pkey PRIMARY KEY (agency, indicator);

--
-- Name: ledger_dropped ledger_dropped_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.ledger_dropped
    ADD CONSTRAINT ledger_dropped_pkey PRIMARY KEY (partition);

--
-- Name: ledger ledger_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (key);

--
-- Name: locality_above locality_above_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.locality_above
    ADD CONSTRAINT locality_above_pkey PRIMARY KEY (leaf, leaf_valid_from, code, valid_from);

--
-- Name: locality locality_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.locality
    ADD CONSTRAINT locality_pkey PRIMARY KEY (code, valid_from);

--
-- Name: origin origin_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.origin
    ADD CONSTRAINT origin_pkey PRIMARY KEY (origin_id);

--
-- Name: origin origin_source_key; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.origin
    ADD CONSTRAINT origin_source_key UNIQUE (source);

--
-- Name: outbox_change outbox_change_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.outbox_change
    ADD CONSTRAINT outbox_change_pkey PRIMARY KEY (change_id);

--
-- Name: outbox_rejected outbox_rejected_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.outbox_rejected
    ADD CONSTRAINT outbox_rejected_pkey PRIMARY KEY (partition, log_offset);

--
-- Name: progress progress_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.progress
    ADD CONSTRAINT progress_pkey PRIMARY KEY (partition);

--
-- Name: rejection rejection_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.rejection
    ADD CONSTRAINT rejection_pkey PRIMARY KEY (source_id_hash, agency);

--
-- Name: reversal reversal_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.reversal
    ADD CONSTRAINT reversal_pkey PRIMARY KEY (key);

--
-- Name: reversal reversal_reversed_key_reversed_occurred_at_key; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.reversal
    ADD CONSTRAINT reversal_reversed_key_reversed_occurred_at_key UNIQUE (reversed_key, reversed_occurred_at);

--
-- Name: series series_indicator_agency_locality_valid_from_key; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.series
    ADD CONSTRAINT series_indicator_agency_locality_valid_from_key UNIQUE NULLS NOT DISTINCT (indicator, agency, locality, valid_from);

--
-- Name: series series_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (series_id);

--
-- Name: statement statement_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.statement
    ADD CONSTRAINT statement_pkey PRIMARY KEY (source, id, occurred_at);

--
-- Name: tree_version tree_version_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.tree_version
    ADD CONSTRAINT tree_version_pkey PRIMARY KEY (only_one);

--
-- Name: watermark watermark_pkey; Type: CONSTRAINT; Schema: aggregation; Owner: uptake_aggregation
--

ALTER TABLE ONLY aggregation.watermark
    ADD CONSTRAINT watermark_pkey PRIMARY KEY (partition);

--
-- Name: control_series; Type: INDEX; Schema: aggregation; Owner: uptake_aggregation
--

CREATE INDEX control_series ON aggregation.control USING btree (indicator, agency, day, occurred_at DESC);

--
-- Name: ledger_logged_at; Type: INDEX; Schema: aggregation; Owner: uptake_aggregation
--

CREATE INDEX ledger_logged_at ON aggregation.ledger USING btree (logged_at);

--
-- Name: locality_above_unit; Type: INDEX; Schema: aggregation; Owner: uptake_aggregation
--

CREATE INDEX locality_above_unit ON aggregation.locality_above USING btree (code, valid_from);

--
-- Name: rejection_logged_at; Type: INDEX; Schema: aggregation; Owner: uptake_aggregation
--

CREATE INDEX rejection_logged_at ON aggregation.rejection USING btree (partition, logged_at);

--
-- Name: series_leaf; Type: INDEX; Schema: aggregation; Owner: uptake_aggregation
--

CREATE INDEX series_leaf ON aggregation.series USING btree (locality, valid_from);

--
-- Name: statement_day; Type: INDEX; Schema: aggregation; Owner: uptake_aggregation
--

CREATE INDEX statement_day ON aggregation.statement USING btree (day);

--
-- Name: statement_series; Type: INDEX; Schema: aggregation; Owner: uptake_aggregation
--

CREATE INDEX statement_series ON aggregation.statement USING btree (indicator, agency, locality, valid_from, day DESC, occurred_at DESC, source COLLATE "C" DESC, id COLLATE "C" DESC);

--
-- Name: SCHEMA reporting; Type: ACL; Schema: -; Owner: postgres
--

GRANT USAGE ON SCHEMA reporting TO uptake_reader;
GRANT ALL ON SCHEMA reporting TO uptake_aggregation;

--
-- Name: TABLE covered_days; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.covered_days TO uptake_reader;

--
-- Name: TABLE carried_difference; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.carried_difference TO uptake_reader;

--
-- Name: TABLE completeness; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.completeness TO uptake_reader;

--
-- Name: TABLE control; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.control TO uptake_reader;

--
-- Name: TABLE daily_total; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.daily_total TO uptake_reader;

--
-- Name: TABLE last_report; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.last_report TO uptake_reader;

--
-- Name: TABLE ledger; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.ledger TO uptake_reader;

--
-- Name: TABLE ledger_dropped; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.ledger_dropped TO uptake_reader;

--
-- Name: TABLE ledger_kept; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.ledger_kept TO uptake_reader;

--
-- Name: TABLE locality; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.locality TO uptake_reader;

--
-- Name: TABLE locality_above; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.locality_above TO uptake_reader;

--
-- Name: TABLE progress; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.progress TO uptake_reader;

--
-- Name: TABLE rejection; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.rejection TO uptake_reader;

--
-- Name: TABLE running_total_by_day; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.running_total_by_day TO uptake_reader;

--
-- Name: TABLE running_total; Type: ACL; Schema: reporting; Owner: uptake_aggregation
--

GRANT SELECT ON TABLE reporting.running_total TO uptake_reader;

--
-- PostgreSQL database dump complete
--
