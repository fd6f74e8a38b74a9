"""Copies `uptake.totals` into Postgres."""

from services.alerting.consumer.reader import TotalsReader
from services.alerting.consumer.subscription import TotalsSubscription

__all__ = ["TotalsReader", "TotalsSubscription"]
