"""The topics, their settings, and who writes them (DESIGN section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

EVENTS: Final = "uptake.events"
REJECTED: Final = "uptake.rejected"
TOTALS: Final = "uptake.totals"
ALERTS: Final = "uptake.alerts"
# One of each for an agency with `kafka: true`; the agency's id follows.
SUBMISSIONS: Final = "uptake.submissions."
REFUSED: Final = "uptake.refused."

AGGREGATION_GROUP: Final = "uptake.aggregation"
SUBMISSIONS_GROUP: Final = "uptake.submissions"

_DAY_MS: Final = 24 * 60 * 60 * 1000


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


def agency_topics(agency: str) -> tuple[TopicSpec, TopicSpec]:
    """Return how an agency's two topics are created (ADR 0020).

    The first is its own to write, the second tells it what was refused.
    """
    return (
        TopicSpec(
            f"{SUBMISSIONS}{agency}",
            # Its events lie in one partition of the log, in the order it sent them.
            1,
            {
                "retention.ms": str(30 * _DAY_MS),
                "cleanup.policy": "delete",
                # The instant of submission, which the sender cannot choose.
                "message.timestamp.type": "LogAppendTime",
                # The broker unpacks what is sent packed, and holds the result to its
                # limit: no bomb and no unknown codec reaches a reader.
                "compression.type": "uncompressed",
            },
        ),
        TopicSpec(
            f"{REFUSED}{agency}",
            1,
            {"retention.ms": str(90 * _DAY_MS), "cleanup.policy": "delete"},
        ),
    )
