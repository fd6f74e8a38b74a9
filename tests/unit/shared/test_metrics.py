"""Every metric has the prefix, a description, and bounded labels."""

import pytest
from prometheus_client import CollectorRegistry

from shared.alerting_metrics import AlertingMetrics, WebhookMetrics
from shared.metrics import (
    AgencyMetrics,
    AggregationMetrics,
    HttpMetrics,
    IngestMetrics,
    ReaderMetrics,
    new_registry,
)

KINDS = [
    HttpMetrics,
    AgencyMetrics,
    ReaderMetrics,
    IngestMetrics,
    AggregationMetrics,
    AlertingMetrics,
    WebhookMetrics,
]
# Each is bounded by the catalogue, by code, by a few words or by the partition count.
LABELS = {
    *("agency", "code", "indicator", "kind", "locality", "partition"),
    *("reason",),
    *("outcome", "route", "status", "target", "webhook", "window"),
}


def registry_of(*kinds: type) -> CollectorRegistry:
    """Make a registry with metrics of some kinds and nothing else."""
    registry = CollectorRegistry(auto_describe=True)
    for kind in kinds:
        kind(registry)
    return registry


def test_every_metric_has_the_prefix_and_a_description() -> None:
    """As promtool asks: a sentence, and a unit at the end of the name."""
    metrics = list(registry_of(*KINDS).collect())
    assert len(metrics) > 20
    for metric in metrics:
        assert metric.name.startswith("uptake_")
        assert metric.documentation.endswith(".")
        if metric.type == "histogram":
            assert metric.name.endswith("_seconds")
        assert not metric.name.endswith(("_ms", "_milliseconds", "_percent"))


def test_every_label_is_bounded() -> None:
    """No id of an event, no path, no address."""
    for kind in KINDS:
        for metric in vars(kind(CollectorRegistry())).values():
            assert set(metric._labelnames) <= LABELS


def test_metrics_of_the_contract_exist() -> None:
    """DESIGN section 9, the part that is built."""
    names = {metric.name for metric in registry_of(*KINDS).collect()}
    assert names >= {
        # Counters lose their suffix `_total` here and show it again when read.
        "uptake_events_accepted",
        "uptake_events_refused",
        "uptake_events_counted",
        "uptake_events_duplicate",
        "uptake_events_reversed",
        "uptake_events_rejected",
        "uptake_aggregation_lag_seconds",
        "uptake_aggregation_lag_records",
        "uptake_batch_duration_seconds",
        "uptake_visible_seconds",
        "uptake_running_total",
        "uptake_target_expected",
        "uptake_target_position_ratio",
        "uptake_target_pace_ratio",
        "uptake_target_miss_ratio",
        "uptake_target_status",
        "uptake_agency_last_event_timestamp_seconds",
        "uptake_agency_silent_indicators",
        "uptake_alerts_firing",
        "uptake_alert_delivery_failures",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_of_a_service_stand_beside_those_of_the_process(kind: type) -> None:
    """One registry for each service; no name stands twice."""
    registry = new_registry()
    kind(registry)
    names = [metric.name for metric in registry.collect()]
    assert len(names) == len(set(names))
    assert "process_cpu_seconds" in names
