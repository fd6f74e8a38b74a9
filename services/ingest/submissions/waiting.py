"""Topics that wait alone, because Kafka did not confirm what became of records."""

from aiokafka import TopicPartition

from shared.backoff import delays_seconds


class WaitingTopics:
    """Until when each waits: longer each time, jittered, within bounds."""

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

    def forget(self, partition: TopicPartition) -> None:
        """Note that all is well."""
        self._attempts.pop(partition, None)
        self._until.pop(partition, None)

    def due(self, now: float) -> set[TopicPartition]:
        """Return the topics whose wait is over."""
        return {each for each, until in self._until.items() if until <= now}
