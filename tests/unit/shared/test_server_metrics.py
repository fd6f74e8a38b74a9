"""What servers turn away is counted from zero, by reasons that are few."""

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from shared.http_refusals import TurnedAway
from shared.metrics import ServerMetrics, SubmissionMetrics


def test_every_reason_is_there_before_the_first_flood() -> None:
    """A rate that begins with the flood would miss its first minute."""
    registry = CollectorRegistry()
    ServerMetrics(registry, tuple(TurnedAway))
    said = generate_latest(registry).decode()
    for reason in TurnedAway:
        assert f'uptake_http_turned_away_total{{reason="{reason.value}"}} 0.0' in said


def test_topics_are_told_apart_by_agency_alone() -> None:
    """Bounded by the catalogue: neither topics nor offsets are labels."""
    for metric in vars(SubmissionMetrics(CollectorRegistry())).values():
        assert set(metric._labelnames) <= {"agency"}
        assert metric._documentation.endswith(".")
