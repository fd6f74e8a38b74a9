"""Metrics of the services, declared once (DESIGN section 9); alerting's are beside.

Names have the prefix `uptake_`, units are base units, and every label set is bounded
by the catalogue or by the partition count; no event id is ever a label.
"""

from typing import Final, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

SECONDS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
)


def new_registry() -> CollectorRegistry:
    """Make a registry that already has the standard process metrics."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


class ServerMetrics:
    """What a service's HTTP server turns away before any door is asked."""

    def __init__(self, registry: CollectorRegistry, reasons: tuple[str, ...]) -> None:
        """Declare it, from zero: the first of a flood is seen to come.

        Args:
            registry: Of the service.
            reasons: All that there are.
        """
        self.turned_away = Counter(
            "uptake_http_turned_away_total",
            "Requests and connections ended before any door was asked, by reason.",
            ("reason",),
            registry=registry,
        )
        for reason in reasons:
            self.turned_away.labels(reason)


class HttpMetrics:
    """Requests at a service's HTTP door."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "uptake_http_requests_total",
            "Requests answered, by route and status.",
            ("route", "status"),
            registry=registry,
        )
        self.duration = Histogram(
            "uptake_http_request_duration_seconds",
            "Time from the request's first byte to the answer.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )


class DoorMetrics:
    """Who is turned away at a door that asks for a key."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.denied = Counter(
            "uptake_requests_denied_total",
            "Requests without a valid key, by what was wrong.",
            ("reason",),
            registry=registry,
        )
        self.audit_suppressed = Counter(
            "uptake_audit_lines_suppressed_total",
            "Refused attempts that had no log line of their own, by reason.",
            ("reason",),
            registry=registry,
        )


class IngestMetrics(DoorMetrics):
    """What happens at the door."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.accepted = Counter(
            "uptake_events_accepted_total",
            "Events durable in the log, by agency.",
            ("agency",),
            registry=registry,
        )
        self.refused = Counter(
            "uptake_events_refused_total",
            "Events turned away at the door, by code.",
            ("code",),
            registry=registry,
        )
        self.unconfirmed = Counter(
            "uptake_events_unconfirmed_total",
            "Events whose append Kafka did not confirm in time; the sender retries.",
            registry=registry,
        )
        self.streams_open = Gauge(
            "uptake_ingest_streams_open",
            "Streams that are being read.",
            registry=registry,
        )
        self.held_bytes = Gauge(
            "uptake_ingest_held_bytes",
            "What open requests hold of UPTAKE_HELD_BYTES_MAX.",
            registry=registry,
        )
        self.limited = Counter(
            "uptake_requests_limited_total",
            "Requests refused because the agency sent too much, by agency.",
            ("agency",),
            registry=registry,
        )


class ReloadMetrics(Protocol):
    """Whether what is in force is what files say."""

    reload_successful: Gauge
    reload_success_timestamp: Gauge


class AgencyMetrics:
    """Whether the agencies and keys in force are those of the files."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reload_successful = Gauge(
            "uptake_agencies_reload_successful",
            "1 if the files of the agencies were right when last read, else 0: "
            "the agencies and keys before stay in force.",
            registry=registry,
        )
        self.reload_success_timestamp = Gauge(
            "uptake_agencies_reload_success_timestamp_seconds",
            "When the files of the agencies were last read and right.",
            registry=registry,
        )


class ReaderMetrics:
    """Whether the readers and keys in force are those of their file."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reload_successful = Gauge(
            "uptake_readers_reload_successful",
            "1 if the file of readers was right when last read, else 0: the readers "
            "and keys before stay in force.",
            registry=registry,
        )
        self.reload_success_timestamp = Gauge(
            "uptake_readers_reload_success_timestamp_seconds",
            "When the file of readers was last read and right.",
            registry=registry,
        )


class SubmissionMetrics:
    """What happens to agencies' own topics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lag_records = Gauge(
            "uptake_submissions_lag_records",
            "Submissions behind the last one decided, by agency.",
            ("agency",),
            registry=registry,
        )
        self.waiting = Gauge(
            "uptake_submissions_waiting",
            "1 while agencies' topics cannot be read, else 0.",
            registry=registry,
        )
        self.slowed_seconds = Counter(
            "uptake_submissions_slowed_seconds_total",
            "Time that an agency's topic waited for its own rate, by agency.",
            ("agency",),
            registry=registry,
        )
        self.lost = Counter(
            "uptake_submissions_lost_total",
            "Submissions that the broker deleted before they were decided.",
            registry=registry,
        )


class AggregationMetrics:
    """What becomes of the log."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.counted = Counter(
            "uptake_events_counted_total",
            "Records that entered the ledger.",
            registry=registry,
        )
        self.duplicate = Counter(
            "uptake_events_duplicate_total",
            "Records already in the ledger with the same content.",
            registry=registry,
        )
        self.reversed = Counter(
            "uptake_events_reversed_total",
            "Reversals taken.",
            registry=registry,
        )
        self.rejected = Counter(
            "uptake_events_rejected_total",
            "Records refused by aggregation, by code.",
            ("code",),
            registry=registry,
        )
        self.batch_duration = Histogram(
            "uptake_batch_duration_seconds",
            "Time to apply one batch, from decoding to commit.",
            buckets=SECONDS,
            registry=registry,
        )
        self.visible = Histogram(
            "uptake_visible_seconds",
            "Time from a record's append to the commit that applied it; "
            "the oldest record of each batch is observed.",
            buckets=SECONDS,
            registry=registry,
        )
        self.ledger_rows_dropped = Counter(
            "uptake_ledger_rows_dropped_total",
            "Ledger rows dropped because they are older than the ledger is kept.",
            registry=registry,
        )
        self._declare_gauges(registry)

    def _declare_gauges(self, registry: CollectorRegistry) -> None:
        self.ledger_oldest_row = Gauge(
            "uptake_ledger_oldest_row_timestamp_seconds",
            "Log time of the oldest ledger row; 0 without rows.",
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "uptake_aggregation_lag_seconds",
            "Age of the oldest record not yet applied.",
            ("partition",),
            registry=registry,
        )
        self.lag_records = Gauge(
            "uptake_aggregation_lag_records",
            "Records in the log that are not yet applied.",
            ("partition",),
            registry=registry,
        )
        self.agency_last_event = Gauge(
            "uptake_agency_last_event_timestamp_seconds",
            "Log time of an agency's latest counted record.",
            ("agency",),
            registry=registry,
        )
        self.running_total = Gauge(
            "uptake_running_total",
            "Level of an indicator; the nation and the provinces.",
            ("indicator", "locality"),
            registry=registry,
        )
        self.outbox_rows = Gauge(
            "uptake_outbox_rows",
            "Changes that wait to be published.",
            registry=registry,
        )


class BoardMetrics(DoorMetrics):
    """What is read."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.receipts = Counter(
            "uptake_receipts_total",
            "Events that agencies asked for, by what had become of them.",
            ("state",),
            registry=registry,
        )
