-- migrate:up

SET ROLE uptake_alerting;

-- The copy of what agencies claim for a day. What was counted is the sum of their
-- effects of that day.
CREATE TABLE alerting.claim (
    agency text NOT NULL,
    indicator text NOT NULL,
    day date NOT NULL,
    -- Null: all controls of the day are voided.
    claimed numeric CHECK (claimed >= 0),
    partition integer NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (agency, indicator, day)
);

-- One agency's effects of one day, whatever the leaf.
CREATE INDEX daily_total_agency ON alerting.daily_total (agency, indicator, day);

-- When claims of an agency and an indicator are next held against counts. The copy
-- marks it, in the order of the key; who compares skips what is locked.
CREATE TABLE alerting.comparison (
    agency text NOT NULL,
    indicator text NOT NULL,
    next_look_at timestamptz NOT NULL,
    -- What the last look found; null before it, and while nothing can be told.
    differing_days integer CHECK (differing_days >= 0),
    PRIMARY KEY (agency, indicator)
) WITH (fillfactor = 70);
CREATE INDEX comparison_due ON alerting.comparison (next_look_at);

-- A row now stands for all that an agency may send; removed is what it owes no reports
-- of, for an agency without a cadence from the beginning.
ALTER TABLE alerting.duty
    -- Whether the catalogue lets it send the indicator.
    ADD COLUMN is_sender boolean NOT NULL DEFAULT true,
    -- How many local days back its events are taken.
    ADD COLUMN window_days integer NOT NULL DEFAULT 62 CHECK (window_days > 0);

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
