"""Where the log ends, per partition of `uptake.events`."""

from collections.abc import Mapping

from shared.events.topics import EVENTS
from shared.kafka.whole_topic import read_ends
from shared.settings import KafkaSettings


async def read_log_ends(
    settings: KafkaSettings, next_offsets: Mapping[int, int]
) -> dict[int, int]:
    """Return the offset behind the last record of each partition.

    Args:
        settings: How to reach Kafka.
        next_offsets: Where to fetch, by partition; from the beginning if not named.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: The topic is not there.
    """
    return await read_ends(settings, EVENTS, next_offsets)
