"""The service's SQL: migrations and named queries."""

from typing import Final

from shared.postgres.queries import load_queries

BACKTEST: Final = load_queries(__name__, "backtest.sql")
COPY: Final = load_queries(__name__, "copy.sql")
DELIVERIES: Final = load_queries(__name__, "delivery.sql")
EXPLAIN: Final = load_queries(__name__, "explain.sql")
FORECASTS: Final = load_queries(__name__, "forecast.sql")
QUERIES: Final = load_queries(__name__)
SILENCE: Final = load_queries(__name__, "silence.sql")
