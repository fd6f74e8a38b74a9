"""The service's tables; one method is one transaction."""

from services.alerting.store.alerts import AlertStore, Delivery, Gauge
from services.alerting.store.definitions import DefinitionStore
from services.alerting.store.evaluations import EvaluationStore
from services.alerting.store.forecasts import ForecastStore
from services.alerting.store.history import HistoryStore
from services.alerting.store.silences import SilenceStore
from services.alerting.store.totals import CopyMovedOnError, TotalsStore
from services.alerting.store.webhooks import WebhookStore

__all__ = [
    "AlertStore",
    "CopyMovedOnError",
    "DefinitionStore",
    "Delivery",
    "EvaluationStore",
    "ForecastStore",
    "Gauge",
    "HistoryStore",
    "SilenceStore",
    "TotalsStore",
    "WebhookStore",
]
