"""When a target will be reached, from how it has come along so far."""

from services.alerting.core.forecast.completion import (
    HISTORY_DAYS_MAX,
    HORIZON_DAYS,
    Course,
    Forecast,
    NoForecast,
    forecast_all,
)
from services.alerting.core.forecast.history import lay_out, outlook_of

__all__ = [
    "HISTORY_DAYS_MAX",
    "HORIZON_DAYS",
    "Course",
    "Forecast",
    "NoForecast",
    "forecast_all",
    "lay_out",
    "outlook_of",
]
