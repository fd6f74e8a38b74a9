"""Topics that wait alone, each for its own trouble or its own rate."""

from aiokafka import TopicPartition

from shared.backoff import delays_seconds


class WaitingTopics:
    """Until when each waits: in trouble longer each time, jittered, within bounds."""

    def __init__(self) -> None:
        self._attempts: dict[TopicPartition, int] = {}
        self._until: dict[TopicPartition, float] = {}

    def add(self, partition: TopicPartition, now: float) -> float:
        """Have a topic wait; return for how long, in seconds.

        Args:
            partition: Its only partition.
            now: Of a clock that only goes forward, in seconds.
        """
        attempt = self._attempts.get(partition, 0) + 1
        wait_seconds = delays_seconds(attempt)
        self._attempts[partition] = attempt
        self._until[partition] = now + wait_seconds
        return wait_seconds

    def hold(self, partition: TopicPartition, until: float) -> None:
        """Have a topic wait for its agency's rate, which is no trouble of Kafka's.

        Args:
            partition: Its only partition.
            until: Of that clock, in seconds.
        """
        self._until[partition] = until

    def forget(self, partition: TopicPartition) -> None:
        """Note that all is well."""
        self._attempts.pop(partition, None)
        self._until.pop(partition, None)

    def seconds_to_next(self, now: float, *, most: float) -> float:
        """Return how long nothing is due, or the most that is asked for."""
        later = (until - now for until in self._until.values() if until > now)
        return min((most, *later))

    def due(self, now: float) -> set[TopicPartition]:
        """Return the topics whose wait is over."""
        return {each for each, until in self._until.items() if until <= now}
