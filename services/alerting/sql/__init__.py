"""The service's SQL: migrations and named queries."""

from typing import Final

from shared.postgres.queries import load_queries

CONTROL: Final = load_queries(__name__, "control.sql")
COPY: Final = load_queries(__name__, "copy.sql")
FORECASTS: Final = load_queries(__name__, "forecast.sql")
QUERIES: Final = load_queries(__name__)
SILENCE: Final = load_queries(__name__, "silence.sql")
