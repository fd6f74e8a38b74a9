"""Tells what became of alerts: transitions to Kafka, current rows to Alertmanager."""

from services.alerting.relay.alertmanager import AlertmanagerDelivery
from services.alerting.relay.notices import NoticeRelay

__all__ = ["AlertmanagerDelivery", "NoticeRelay"]
