"""Metrics of alerting."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.metrics import SECONDS


class TargetMetrics:
    """Where targets stand."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.expected = Gauge(
            "uptake_target_expected",
            "Value that the path to the target asks for today.",
            ("target",),
            registry=registry,
        )
        self.position = Gauge(
            "uptake_target_position_ratio",
            "Share of the path due by now that has been covered.",
            ("target",),
            registry=registry,
        )
        self.pace = Gauge(
            "uptake_target_pace_ratio",
            "Achieved rate over required rate, by window.",
            ("target", "window"),
            registry=registry,
        )
        self.miss = Gauge(
            "uptake_target_miss_ratio",
            "Chance that a target is missed, by the forecast of the last complete day.",
            ("target",),
            registry=registry,
        )
        self.status = Gauge(
            "uptake_target_status",
            "1 for the status that a target has, 0 for the others.",
            ("target", "status"),
            registry=registry,
        )


class AlertingMetrics(TargetMetrics):
    """Where targets stand, and what is said about them and about agencies."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.silent = Gauge(
            "uptake_agency_silent_indicators",
            "Indicators that an agency owes reports of and is silent on.",
            ("agency",),
            registry=registry,
        )
        self.firing = Gauge(
            "uptake_alerts_firing",
            "Alerts that fire now, by kind.",
            ("kind",),
            registry=registry,
        )
        self.delivery_failures = Counter(
            "uptake_alert_delivery_failures_total",
            "Deliveries that failed and are tried again.",
            registry=registry,
        )
        self.evaluation_duration = Histogram(
            "uptake_evaluation_duration_seconds",
            "Time to evaluate the targets that were due.",
            buckets=SECONDS,
            registry=registry,
        )
        self.forecast_duration = Histogram(
            "uptake_forecast_duration_seconds",
            "Time to forecast a slice of the targets that were due.",
            buckets=SECONDS,
            registry=registry,
        )
        self.totals_lag_records = Gauge(
            "uptake_totals_lag_records",
            "Messages of uptake.totals that alerting has not yet copied.",
            registry=registry,
        )


class WebhookMetrics:
    """What became of transitions that webhooks are told of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.tries = Counter(
            "uptake_webhook_tries_total",
            "Tries to deliver a transition to a webhook, by what came of them.",
            ("webhook", "outcome"),
            registry=registry,
        )
        self.waiting = Gauge(
            "uptake_webhook_waiting",
            "Transitions that wait to be delivered to a webhook.",
            ("webhook",),
            registry=registry,
        )
        self.oldest = Gauge(
            "uptake_webhook_oldest_seconds",
            "For how long the oldest transition has waited for its webhook.",
            ("webhook",),
            registry=registry,
        )
        self.dead = Gauge(
            "uptake_webhook_dead",
            "Transitions that were given up for a webhook, within the last 90 days.",
            ("webhook",),
            registry=registry,
        )
