"""Tells what became of alerts.

Transitions to Kafka and to webhooks, current rows to Alertmanager.
"""

from services.alerting.relay.alertmanager import AlertmanagerDelivery
from services.alerting.relay.notices import NoticeRelay
from services.alerting.relay.webhooks import WebhookDelivery, WebhookUpkeep

__all__ = [
    "AlertmanagerDelivery",
    "NoticeRelay",
    "WebhookDelivery",
    "WebhookUpkeep",
]
