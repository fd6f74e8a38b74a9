-- migrate:up

SET ROLE uptake_aggregation;

-- Which control of an agency holds for a day is published too.
ALTER TABLE aggregation.outbox_change
    DROP CONSTRAINT outbox_change_kind_check,
    -- d: daily total, k: control, s: statement, l: last report
    ADD CONSTRAINT outbox_change_kind_check CHECK (kind IN ('d', 'k', 's', 'l'));

RESET ROLE;

-- migrate:down
-- Forward only: restore a backup instead.
