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
-- Name: alerting; Type: SCHEMA; Schema: -; Owner: uptake_alerting
--

CREATE SCHEMA alerting;

ALTER SCHEMA alerting OWNER TO uptake_alerting;

--
-- Name: reporting; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA reporting;

ALTER SCHEMA reporting OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alert; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.alert (
    fingerprint text NOT NULL,
    target text,
    kind text NOT NULL,
    state text NOT NULL,
    episode integer NOT NULL,
    state_since timestamp with time zone NOT NULL,
    pending_since timestamp with time zone,
    firing_since timestamp with time zone,
    resolved_at timestamp with time zone,
    credited interval DEFAULT '00:00:00'::interval NOT NULL,
    seen_at timestamp with time zone,
    was_kept boolean DEFAULT false NOT NULL,
    summary_en text NOT NULL,
    summary_vi text NOT NULL,
    evaluated_at timestamp with time zone NOT NULL,
    told_from timestamp with time zone,
    told_until timestamp with time zone,
    version bigint DEFAULT 0 NOT NULL,
    next_delivery_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    agency text,
    indicator text,
    CONSTRAINT alert_check CHECK (((target IS NULL) <> (agency IS NULL))),
    CONSTRAINT alert_check1 CHECK (((agency IS NULL) = (indicator IS NULL))),
    CONSTRAINT alert_episode_check CHECK ((episode >= 0)),
    CONSTRAINT alert_state_check CHECK ((state = ANY (ARRAY['quiet'::text, 'pending'::text, 'firing'::text, 'kept'::text, 'resolved'::text])))
);

ALTER TABLE alerting.alert OWNER TO uptake_alerting;

--
-- Name: daily_total; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.daily_total (
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    day date NOT NULL,
    count numeric NOT NULL,
    amount numeric NOT NULL,
    partition integer NOT NULL,
    revision bigint NOT NULL
);

ALTER TABLE alerting.daily_total OWNER TO uptake_alerting;

--
-- Name: delivery; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.delivery (
    delivery_id bigint NOT NULL,
    receiver text NOT NULL,
    channel text NOT NULL,
    fingerprint text NOT NULL,
    state text NOT NULL,
    since timestamp with time zone NOT NULL,
    message_id text,
    message bytea,
    queued_at timestamp with time zone NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    refusals integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone,
    tried_at timestamp with time zone,
    told_at timestamp with time zone,
    dead_at timestamp with time zone,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT delivery_channel_check CHECK ((channel = ANY (ARRAY['alertmanager'::text, 'webhook'::text]))),
    CONSTRAINT delivery_check CHECK (((channel = 'alertmanager'::text) OR (num_nonnulls(message_id, message) = 2))),
    CONSTRAINT delivery_check1 CHECK (((told_at IS NULL) OR (dead_at IS NULL))),
    CONSTRAINT delivery_check2 CHECK (((channel = 'alertmanager'::text) OR ((next_at IS NULL) = (num_nonnulls(told_at, dead_at) = 1)))),
    CONSTRAINT delivery_refusals_check CHECK ((refusals >= 0)),
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['quiet'::text, 'pending'::text, 'firing'::text, 'kept'::text, 'resolved'::text]))),
    CONSTRAINT delivery_tries_check CHECK ((tries >= 0))
)
WITH (fillfactor='80');

ALTER TABLE alerting.delivery OWNER TO uptake_alerting;

--
-- Name: delivery_delivery_id_seq; Type: SEQUENCE; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE alerting.delivery ALTER COLUMN delivery_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME alerting.delivery_delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: duty; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.duty (
    agency text NOT NULL,
    indicator text NOT NULL,
    agency_name text NOT NULL,
    indicator_name text NOT NULL,
    indicator_name_vi text NOT NULL,
    locality text NOT NULL,
    locality_kind text NOT NULL,
    province text NOT NULL,
    timezone text NOT NULL,
    cadence interval,
    is_required boolean NOT NULL,
    is_removed boolean DEFAULT false NOT NULL,
    expected_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    heard_at timestamp with time zone,
    mark interval NOT NULL,
    noted interval NOT NULL,
    turned interval NOT NULL,
    next_reading interval,
    voice text NOT NULL,
    voice_since timestamp with time zone NOT NULL,
    CONSTRAINT duty_cadence_check CHECK ((cadence > '00:00:00'::interval)),
    CONSTRAINT duty_voice_check CHECK ((voice = ANY (ARRAY['heard'::text, 'silent'::text, 'returning'::text])))
)
WITH (fillfactor='70');

ALTER TABLE alerting.duty OWNER TO uptake_alerting;

--
-- Name: forecast; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.forecast (
    target text NOT NULL,
    day date,
    unit_id bigint,
    goal bigint,
    due date,
    ceiling bigint,
    p10 date,
    p50 date,
    p90 date,
    miss_bp integer,
    reason text,
    made_at timestamp with time zone,
    next_forecast_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT forecast_check CHECK (((day IS NULL) = (made_at IS NULL))),
    CONSTRAINT forecast_check1 CHECK (((day IS NULL) OR ((miss_bp IS NULL) = (reason IS NOT NULL)))),
    CONSTRAINT forecast_check2 CHECK (((miss_bp IS NOT NULL) OR (COALESCE(p10, p50, p90) IS NULL))),
    CONSTRAINT forecast_miss_bp_check CHECK (((miss_bp >= 0) AND (miss_bp <= 10000)))
)
WITH (fillfactor='70');

ALTER TABLE alerting.forecast OWNER TO uptake_alerting;

--
-- Name: last_report; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.last_report (
    agency text NOT NULL,
    indicator text NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    revision bigint NOT NULL
);

ALTER TABLE alerting.last_report OWNER TO uptake_alerting;

--
-- Name: listening; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.listening (
    is_only boolean DEFAULT true NOT NULL,
    reading interval DEFAULT '00:00:00'::interval NOT NULL,
    seen_at timestamp with time zone,
    gaps_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT listening_is_only_check CHECK (is_only)
);

ALTER TABLE alerting.listening OWNER TO uptake_alerting;

--
-- Name: outbox; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.outbox (
    outbox_id bigint NOT NULL,
    fingerprint text NOT NULL,
    message bytea NOT NULL
);

ALTER TABLE alerting.outbox OWNER TO uptake_alerting;

--
-- Name: outbox_outbox_id_seq; Type: SEQUENCE; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE alerting.outbox ALTER COLUMN outbox_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME alerting.outbox_outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: position; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting."position" (
    partition integer NOT NULL,
    next_offset bigint DEFAULT 0 NOT NULL,
    last_record_hash bytea,
    caught_up_at timestamp with time zone,
    CONSTRAINT position_last_record_hash_check CHECK ((octet_length(last_record_hash) = 32)),
    CONSTRAINT position_next_offset_check CHECK ((next_offset >= 0)),
    CONSTRAINT position_partition_check CHECK ((partition >= 0))
);

ALTER TABLE alerting."position" OWNER TO uptake_alerting;

--
-- Name: series; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.series (
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    stated_day date,
    level numeric DEFAULT 0 NOT NULL
);

ALTER TABLE alerting.series OWNER TO uptake_alerting;

--
-- Name: stated; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.stated (
    indicator text NOT NULL,
    agency text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    day date NOT NULL,
    level numeric,
    partition integer NOT NULL,
    revision bigint NOT NULL
);

ALTER TABLE alerting.stated OWNER TO uptake_alerting;

--
-- Name: target; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.target (
    target text NOT NULL,
    unit_id bigint,
    indicator text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    locality_kind text NOT NULL,
    province text NOT NULL,
    indicator_name text NOT NULL,
    indicator_name_vi text NOT NULL,
    place_name text NOT NULL,
    timezone text NOT NULL,
    trajectory text NOT NULL,
    start_date date NOT NULL,
    start_value bigint NOT NULL,
    due date NOT NULL,
    goal bigint NOT NULL,
    enter_bp integer NOT NULL,
    leave_bp integer NOT NULL,
    for_seconds bigint NOT NULL,
    keep_seconds bigint NOT NULL,
    issued_by text,
    illustrative boolean NOT NULL,
    is_removed boolean DEFAULT false NOT NULL,
    status text,
    reason text,
    status_since timestamp with time zone,
    is_lagging boolean DEFAULT false NOT NULL,
    actual numeric,
    expected numeric,
    position_bp integer,
    pace_7_bp integer,
    pace_28_bp integer,
    required_per_day numeric,
    achieved_7_per_day numeric,
    achieved_28_per_day numeric,
    evaluated_at timestamp with time zone,
    next_evaluation_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    measure text DEFAULT 'stock'::text NOT NULL,
    milestones jsonb DEFAULT '[]'::jsonb NOT NULL,
    goal_share_bp integer,
    population_group text,
    population bigint,
    population_as_of date,
    population_source text,
    population_illustrative boolean,
    period text,
    succeeds text,
    is_at_risk boolean DEFAULT false NOT NULL,
    forecast_at timestamp with time zone,
    changed_at timestamp with time zone,
    CONSTRAINT target_check CHECK ((start_date < due)),
    CONSTRAINT target_check1 CHECK ((start_value <> goal)),
    CONSTRAINT target_check2 CHECK ((enter_bp <= leave_bp)),
    CONSTRAINT target_check3 CHECK (((trajectory <> 'logistic'::text) OR (population IS NOT NULL))),
    CONSTRAINT target_check4 CHECK (((population IS NULL) = (population_group IS NULL))),
    CONSTRAINT target_measure_check CHECK ((measure = ANY (ARRAY['stock'::text, 'flow'::text]))),
    CONSTRAINT target_population_check CHECK ((population > 0)),
    CONSTRAINT target_status_check CHECK ((status = ANY (ARRAY['not_started'::text, 'met'::text, 'missed'::text, 'unknown'::text, 'lagging'::text, 'at_risk'::text, 'ahead'::text, 'on_track'::text])))
)
WITH (fillfactor='70');

ALTER TABLE alerting.target OWNER TO uptake_alerting;

--
-- Name: unit; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.unit (
    unit_id bigint NOT NULL,
    indicator text NOT NULL,
    locality text NOT NULL,
    valid_from date NOT NULL,
    leaves_digest text DEFAULT ''::text NOT NULL,
    level numeric DEFAULT 0 NOT NULL,
    since date,
    until date,
    silent_bp integer DEFAULT 0 NOT NULL,
    required_gap text,
    CONSTRAINT unit_check CHECK (((since IS NULL) = (until IS NULL))),
    CONSTRAINT unit_check1 CHECK ((since <= until)),
    CONSTRAINT unit_required_gap_check CHECK ((required_gap = ANY (ARRAY['silent'::text, 'never_reported'::text]))),
    CONSTRAINT unit_silent_bp_check CHECK (((silent_bp >= 0) AND (silent_bp <= 10000)))
);

ALTER TABLE alerting.unit OWNER TO uptake_alerting;

--
-- Name: unit_day; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.unit_day (
    unit_id bigint NOT NULL,
    day date NOT NULL,
    count numeric NOT NULL
);

ALTER TABLE alerting.unit_day OWNER TO uptake_alerting;

--
-- Name: unit_leaf; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.unit_leaf (
    indicator text NOT NULL,
    leaf text NOT NULL,
    leaf_valid_from date NOT NULL,
    unit_id bigint NOT NULL
);

ALTER TABLE alerting.unit_leaf OWNER TO uptake_alerting;

--
-- Name: unit_partition; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.unit_partition (
    unit_id bigint NOT NULL,
    partition integer NOT NULL
);

ALTER TABLE alerting.unit_partition OWNER TO uptake_alerting;

--
-- Name: unit_required; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.unit_required (
    unit_id bigint NOT NULL,
    agency text NOT NULL
);

ALTER TABLE alerting.unit_required OWNER TO uptake_alerting;

--
-- Name: unit_silence; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.unit_silence (
    unit_id bigint NOT NULL,
    agency text NOT NULL,
    share_bp integer NOT NULL,
    is_required boolean NOT NULL,
    CONSTRAINT unit_silence_share_bp_check CHECK (((share_bp >= 0) AND (share_bp <= 10000)))
);

ALTER TABLE alerting.unit_silence OWNER TO uptake_alerting;

--
-- Name: unit_unit_id_seq; Type: SEQUENCE; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE alerting.unit ALTER COLUMN unit_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME alerting.unit_unit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: watermark; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.watermark (
    partition integer NOT NULL,
    applied_until timestamp with time zone NOT NULL,
    revision bigint NOT NULL
);

ALTER TABLE alerting.watermark OWNER TO uptake_alerting;

--
-- Name: webhook; Type: TABLE; Schema: alerting; Owner: uptake_alerting
--

CREATE TABLE alerting.webhook (
    webhook text NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    allowance integer DEFAULT 1 NOT NULL,
    next_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    claimed_by uuid,
    claimed_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT webhook_allowance_check CHECK ((allowance >= 1)),
    CONSTRAINT webhook_failures_check CHECK ((failures >= 0))
)
WITH (fillfactor='70');

ALTER TABLE alerting.webhook OWNER TO uptake_alerting;

--
-- Name: agency_silence; Type: VIEW; Schema: reporting; Owner: uptake_alerting
--

CREATE VIEW reporting.agency_silence AS
 SELECT d.agency,
    d.indicator,
    d.voice,
    d.voice_since,
    r.reported_at,
    d.expected_at,
    d.cadence,
    d.is_required
   FROM (alerting.duty d
     LEFT JOIN alerting.last_report r USING (agency, indicator))
  WHERE (NOT d.is_removed);

ALTER VIEW reporting.agency_silence OWNER TO uptake_alerting;

--
-- Name: alert; Type: VIEW; Schema: reporting; Owner: uptake_alerting
--

CREATE VIEW reporting.alert AS
 SELECT a.fingerprint,
    a.kind,
    a.target,
    COALESCE(t.indicator, a.indicator) AS indicator,
    COALESCE(t.locality, d.locality) AS locality,
    a.state,
    a.episode,
    a.state_since,
    a.pending_since,
    a.firing_since,
    a.resolved_at,
    a.summary_en,
    a.summary_vi,
    GREATEST(a.evaluated_at, t.evaluated_at) AS evaluated_at,
    a.agency
   FROM ((alerting.alert a
     LEFT JOIN alerting.target t ON ((t.target = a.target)))
     LEFT JOIN alerting.duty d ON (((d.agency = a.agency) AND (d.indicator = a.indicator))));

ALTER VIEW reporting.alert OWNER TO uptake_alerting;

--
-- Name: alert_delivery; Type: VIEW; Schema: reporting; Owner: uptake_alerting
--

CREATE VIEW reporting.alert_delivery AS
 SELECT d.channel,
    d.receiver,
    d.fingerprint,
    a.kind,
    a.target,
    a.agency,
    a.indicator,
    d.state,
    d.since,
        CASE
            WHEN (d.told_at IS NOT NULL) THEN 'told'::text
            WHEN (d.dead_at IS NOT NULL) THEN 'dead'::text
            ELSE 'waiting'::text
        END AS outcome,
    d.queued_at,
    d.tries,
    d.tried_at,
        CASE
            WHEN (d.next_at IS NOT NULL) THEN GREATEST(d.next_at, w.next_at)
            ELSE NULL::timestamp with time zone
        END AS next_at,
    d.told_at,
    d.dead_at,
    d.reason
   FROM ((alerting.delivery d
     LEFT JOIN alerting.alert a USING (fingerprint))
     LEFT JOIN alerting.webhook w ON (((d.channel = 'webhook'::text) AND (w.webhook = d.receiver))));

ALTER VIEW reporting.alert_delivery OWNER TO uptake_alerting;

--
-- Name: alert_wait; Type: VIEW; Schema: reporting; Owner: uptake_alerting
--

CREATE VIEW reporting.alert_wait AS
 SELECT a.fingerprint,
    (EXTRACT(epoch FROM (a.credited + GREATEST((t.evaluated_at - a.seen_at), '00:00:00'::interval))))::bigint AS waited_seconds,
        CASE a.state
            WHEN 'pending'::text THEN t.for_seconds
            ELSE t.keep_seconds
        END AS wait_seconds
   FROM (alerting.alert a
     JOIN alerting.target t USING (target))
  WHERE (a.state = ANY (ARRAY['pending'::text, 'kept'::text]));

ALTER VIEW reporting.alert_wait OWNER TO uptake_alerting;

--
-- Name: target_forecast; Type: VIEW; Schema: reporting; Owner: uptake_alerting
--

CREATE VIEW reporting.target_forecast AS
 SELECT f.target,
    f.day,
    f.p10,
    f.p50,
    f.p90,
    f.miss_bp,
    f.reason,
    f.made_at
   FROM (alerting.forecast f
     JOIN alerting.target t USING (target))
  WHERE ((NOT t.is_removed) AND (f.day IS NOT NULL));

ALTER VIEW reporting.target_forecast OWNER TO uptake_alerting;

--
-- Name: target_look; Type: VIEW; Schema: reporting; Owner: uptake_alerting
--

CREATE VIEW reporting.target_look AS
 SELECT target,
    timezone,
    enter_bp,
    leave_bp,
    for_seconds,
    keep_seconds,
    evaluated_at AS looked_at,
    NULLIF(next_evaluation_at, '-infinity'::timestamp with time zone) AS next_look_at
   FROM alerting.target t
  WHERE ((NOT is_removed) AND (status IS NOT NULL));

ALTER VIEW reporting.target_look OWNER TO uptake_alerting;

--
-- Name: target_silence; Type: VIEW; Schema: reporting; Owner: uptake_alerting
--

CREATE VIEW reporting.target_silence AS
 SELECT t.target,
    s.agency,
    t.indicator,
    s.share_bp,
    s.is_required,
    d.voice,
    d.voice_since,
    r.reported_at,
    d.cadence
   FROM (((alerting.unit_silence s
     JOIN alerting.target t USING (unit_id))
     JOIN alerting.duty d ON (((d.agency = s.agency) AND (d.indicator = t.indicator))))
     LEFT JOIN alerting.last_report r ON (((r.agency = s.agency) AND (r.indicator = t.indicator))))
  WHERE (NOT t.is_removed);

ALTER VIEW reporting.target_silence OWNER TO uptake_alerting;

--
-- Name: target_status; Type: VIEW; Schema: reporting; Owner: uptake_alerting
--

CREATE VIEW reporting.target_status AS
 SELECT target,
    indicator,
    locality,
    valid_from,
    status,
    reason,
    actual,
    expected,
    start_value,
    (goal)::numeric AS goal,
    start_date,
    due,
    position_bp,
    pace_7_bp,
    pace_28_bp,
    required_per_day,
    achieved_7_per_day,
    achieved_28_per_day,
    illustrative,
    status_since,
    evaluated_at,
    measure,
    trajectory,
    milestones,
    period,
    goal_share_bp,
    population_group,
    (population)::numeric AS population,
    population_as_of,
    population_source,
    population_illustrative,
    succeeds,
    ( SELECT min(s.target) AS min
           FROM alerting.target s
          WHERE ((s.succeeds = t.target) AND (NOT s.is_removed))) AS succeeded_by
   FROM alerting.target t
  WHERE ((NOT is_removed) AND (status IS NOT NULL));

ALTER VIEW reporting.target_status OWNER TO uptake_alerting;

--
-- Name: alert alert_agency_indicator_kind_key; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.alert
    ADD CONSTRAINT alert_agency_indicator_kind_key UNIQUE (agency, indicator, kind);

--
-- Name: alert alert_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (fingerprint);

--
-- Name: alert alert_target_kind_key; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.alert
    ADD CONSTRAINT alert_target_kind_key UNIQUE (target, kind);

--
-- Name: daily_total daily_total_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.daily_total
    ADD CONSTRAINT daily_total_pkey PRIMARY KEY (indicator, locality, valid_from, agency, day);

--
-- Name: delivery delivery_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (delivery_id);

--
-- Name: delivery delivery_receiver_channel_fingerprint_state_since_key; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.delivery
    ADD CONSTRAINT delivery_receiver_channel_fingerprint_state_since_key UNIQUE (receiver, channel, fingerprint, state, since);

--
-- Name: duty duty_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.duty
    ADD CONSTRAINT duty_pkey PRIMARY KEY (agency, indicator);

--
-- Name: forecast forecast_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.forecast
    ADD CONSTRAINT forecast_pkey PRIMARY KEY (target);

--
-- Name: last_report last_report_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.last_report
    ADD CONSTRAINT last_report_pkey PRIMARY KEY (agency, indicator);

--
-- Name: listening listening_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.listening
    ADD CONSTRAINT listening_pkey PRIMARY KEY (is_only);

--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (outbox_id);

--
-- Name: position position_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting."position"
    ADD CONSTRAINT position_pkey PRIMARY KEY (partition);

--
-- Name: series series_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (indicator, locality, valid_from, agency);

--
-- Name: stated stated_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.stated
    ADD CONSTRAINT stated_pkey PRIMARY KEY (indicator, locality, valid_from, agency, day);

--
-- Name: target target_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.target
    ADD CONSTRAINT target_pkey PRIMARY KEY (target);

--
-- Name: unit_day unit_day_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_day
    ADD CONSTRAINT unit_day_pkey PRIMARY KEY (unit_id, day);

--
-- Name: unit unit_key; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit
    ADD CONSTRAINT unit_key UNIQUE NULLS NOT DISTINCT (indicator, locality, valid_from, since, until);

--
-- Name: unit_leaf unit_leaf_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_leaf
    ADD CONSTRAINT unit_leaf_pkey PRIMARY KEY (indicator, leaf, leaf_valid_from, unit_id);

--
-- Name: unit_partition unit_partition_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_partition
    ADD CONSTRAINT unit_partition_pkey PRIMARY KEY (unit_id, partition);

--
-- Name: unit unit_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit
    ADD CONSTRAINT unit_pkey PRIMARY KEY (unit_id);

--
-- Name: unit_required unit_required_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_required
    ADD CONSTRAINT unit_required_pkey PRIMARY KEY (unit_id, agency);

--
-- Name: unit_silence unit_silence_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_silence
    ADD CONSTRAINT unit_silence_pkey PRIMARY KEY (unit_id, agency);

--
-- Name: watermark watermark_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.watermark
    ADD CONSTRAINT watermark_pkey PRIMARY KEY (partition);

--
-- Name: webhook webhook_pkey; Type: CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (webhook);

--
-- Name: alert_next_delivery; Type: INDEX; Schema: alerting; Owner: uptake_alerting
--

CREATE INDEX alert_next_delivery ON alerting.alert USING btree (next_delivery_at) WHERE (told_from IS NOT NULL);

--
-- Name: delivery_queued; Type: INDEX; Schema: alerting; Owner: uptake_alerting
--

CREATE INDEX delivery_queued ON alerting.delivery USING btree (queued_at);

--
-- Name: delivery_untold; Type: INDEX; Schema: alerting; Owner: uptake_alerting
--

CREATE INDEX delivery_untold ON alerting.delivery USING btree (receiver) WHERE (told_at IS NULL);

--
-- Name: delivery_waiting; Type: INDEX; Schema: alerting; Owner: uptake_alerting
--

CREATE INDEX delivery_waiting ON alerting.delivery USING btree (receiver, fingerprint, delivery_id) WHERE (next_at IS NOT NULL);

--
-- Name: target_next_evaluation; Type: INDEX; Schema: alerting; Owner: uptake_alerting
--

CREATE INDEX target_next_evaluation ON alerting.target USING btree (next_evaluation_at);

--
-- Name: target_succeeds; Type: INDEX; Schema: alerting; Owner: uptake_alerting
--

CREATE INDEX target_succeeds ON alerting.target USING btree (succeeds) WHERE (succeeds IS NOT NULL);

--
-- Name: target_unit; Type: INDEX; Schema: alerting; Owner: uptake_alerting
--

CREATE INDEX target_unit ON alerting.target USING btree (unit_id);

--
-- Name: unit_leaf_unit; Type: INDEX; Schema: alerting; Owner: uptake_alerting
--

CREATE INDEX unit_leaf_unit ON alerting.unit_leaf USING btree (unit_id);

--
-- Name: alert alert_agency_indicator_fkey; Type: FK CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.alert
    ADD CONSTRAINT alert_agency_indicator_fkey FOREIGN KEY (agency, indicator) REFERENCES alerting.duty(agency, indicator);

--
-- Name: alert alert_target_fkey; Type: FK CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.alert
    ADD CONSTRAINT alert_target_fkey FOREIGN KEY (target) REFERENCES alerting.target(target);

--
-- Name: forecast forecast_target_fkey; Type: FK CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.forecast
    ADD CONSTRAINT forecast_target_fkey FOREIGN KEY (target) REFERENCES alerting.target(target);

--
-- Name: target target_unit_id_fkey; Type: FK CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.target
    ADD CONSTRAINT target_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES alerting.unit(unit_id) ON DELETE SET NULL;

--
-- Name: unit_day unit_day_unit_id_fkey; Type: FK CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_day
    ADD CONSTRAINT unit_day_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES alerting.unit(unit_id) ON DELETE CASCADE;

--
-- Name: unit_leaf unit_leaf_unit_id_fkey; Type: FK CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_leaf
    ADD CONSTRAINT unit_leaf_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES alerting.unit(unit_id) ON DELETE CASCADE;

--
-- Name: unit_partition unit_partition_unit_id_fkey; Type: FK CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_partition
    ADD CONSTRAINT unit_partition_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES alerting.unit(unit_id) ON DELETE CASCADE;

--
-- Name: unit_required unit_required_unit_id_fkey; Type: FK CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_required
    ADD CONSTRAINT unit_required_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES alerting.unit(unit_id) ON DELETE CASCADE;

--
-- Name: unit_silence unit_silence_unit_id_fkey; Type: FK CONSTRAINT; Schema: alerting; Owner: uptake_alerting
--

ALTER TABLE ONLY alerting.unit_silence
    ADD CONSTRAINT unit_silence_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES alerting.unit(unit_id) ON DELETE CASCADE;

--
-- Name: SCHEMA reporting; Type: ACL; Schema: -; Owner: postgres
--

GRANT USAGE ON SCHEMA reporting TO uptake_reader;
GRANT ALL ON SCHEMA reporting TO uptake_alerting;

--
-- Name: TABLE agency_silence; Type: ACL; Schema: reporting; Owner: uptake_alerting
--

GRANT SELECT ON TABLE reporting.agency_silence TO uptake_reader;

--
-- Name: TABLE alert; Type: ACL; Schema: reporting; Owner: uptake_alerting
--

GRANT SELECT ON TABLE reporting.alert TO uptake_reader;

--
-- Name: TABLE alert_delivery; Type: ACL; Schema: reporting; Owner: uptake_alerting
--

GRANT SELECT ON TABLE reporting.alert_delivery TO uptake_reader;

--
-- Name: TABLE alert_wait; Type: ACL; Schema: reporting; Owner: uptake_alerting
--

GRANT SELECT ON TABLE reporting.alert_wait TO uptake_reader;

--
-- Name: TABLE target_forecast; Type: ACL; Schema: reporting; Owner: uptake_alerting
--

GRANT SELECT ON TABLE reporting.target_forecast TO uptake_reader;

--
-- Name: TABLE target_look; Type: ACL; Schema: reporting; Owner: uptake_alerting
--

GRANT SELECT ON TABLE reporting.target_look TO uptake_reader;

--
-- Name: TABLE target_silence; Type: ACL; Schema: reporting; Owner: uptake_alerting
--

GRANT SELECT ON TABLE reporting.target_silence TO uptake_reader;

--
-- Name: TABLE target_status; Type: ACL; Schema: reporting; Owner: uptake_alerting
--

GRANT SELECT ON TABLE reporting.target_status TO uptake_reader;

--
-- PostgreSQL database dump complete
--
