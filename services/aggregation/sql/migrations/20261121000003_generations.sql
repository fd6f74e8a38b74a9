-- migrate:up

-- Where `uptake rebuild` makes the next generation of ledger and totals, and where the
-- one that served stands for the moment of the switch. Both are empty otherwise.
CREATE SCHEMA aggregation_next AUTHORIZATION uptake_aggregation;
CREATE SCHEMA aggregation_old AUTHORIZATION uptake_aggregation;

-- migrate:down
-- Forward only: restore a backup instead.
