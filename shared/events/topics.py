"""The topics, their settings, and who writes them (DESIGN section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

EVENTS: Final = "uptake.events"
REJECTED: Final = "uptake.rejected"
TOTALS: Final = "uptake.totals"
ALERTS: Final = "uptake.alerts"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic is created; partitions of None follow the settings."""

    name: str
    partitions: int | None
    configs: Mapping[str, str] = field(default_factory=dict)


TOPICS: Final = (
    # Only ingest writes; the log is the truth and is never cut (promise 5). The
    # broker stamps the time, so that "as known at" does not trust a sender's clock.
    TopicSpec(
        EVENTS,
        None,
        {
            "retention.ms": "-1",
            "retention.bytes": "-1",
            "cleanup.policy": "delete",
            "message.timestamp.type": "LogAppendTime",
        },
    ),
    TopicSpec(REJECTED, 1, {"retention.ms": "-1", "cleanup.policy": "delete"}),
    TopicSpec(TOTALS, None, {"cleanup.policy": "compact"}),
    TopicSpec(ALERTS, 1, {"retention.ms": "-1", "cleanup.policy": "delete"}),
)
