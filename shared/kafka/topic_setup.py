"""Create the topics and refuse ones that would lose or scatter records."""

from dataclasses import dataclass

from aiokafka.admin import NewTopic
from aiokafka.admin.client import AIOKafkaAdminClient
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.errors import FatalError
from shared.events.topics import TOPICS, TopicSpec
from shared.kafka.broker import admin_client
from shared.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class TopicState:
    """What the cluster says of a topic.

    Attributes:
        partition_count: Number of partitions.
        replication: Replicas of the partition that has the fewest.
    """

    partition_count: int
    replication: int


async def create_topics(settings: KafkaSettings) -> tuple[str, ...]:
    """Create the topics that are missing; leave those that exist as they are.

    Returns:
        Names of the topics created now.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: Kafka refuses a topic.
    """
    async with admin_client(settings) as admin:
        existing = set(await admin.list_topics())
        missing = [spec for spec in TOPICS if spec.name not in existing]
        return tuple([s.name for s in missing if await _create(admin, s, settings)])


async def _create(
    admin: AIOKafkaAdminClient, spec: TopicSpec, settings: KafkaSettings
) -> bool:
    replicas_in_sync_min = max(1, settings.kafka_replication - 1)
    topic = NewTopic(
        name=spec.name,
        num_partitions=spec.partitions or settings.kafka_partitions,
        replication_factor=settings.kafka_replication,
        topic_configs={
            **spec.configs,
            "min.insync.replicas": str(replicas_in_sync_min),
        },
    )
    try:
        response = await admin.create_topics([topic])
    except TopicAlreadyExistsError:
        return False
    for name, code, *detail in response.topic_errors:
        if code == TopicAlreadyExistsError.errno:
            return False
        if code:
            raise FatalError(
                f"kafka refuses topic {name}: {for_code(code).__name__} {detail}"
            )
    return True


async def check_topics(settings: KafkaSettings) -> None:
    """Refuse to run against topics that would break a promise.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: A topic is missing, has another partition count than agreed, or
            has fewer replicas than promised.
    """
    states = await _describe(settings)
    for spec in TOPICS:
        state = states.get(spec.name)
        if state is None:
            raise FatalError(
                f"topic {spec.name} does not exist; run `uptake migrate` first"
            )
        wanted = spec.partitions or settings.kafka_partitions
        if state.partition_count != wanted:
            raise FatalError(
                f"topic {spec.name} has {state.partition_count} partitions, "
                f"not {wanted}; the count is fixed at creation, so set "
                "UPTAKE_KAFKA_PARTITIONS to what it was created with"
            )
        if state.replication < settings.kafka_replication:
            raise FatalError(
                f"topic {spec.name} has {state.replication} replicas, not "
                f"{settings.kafka_replication}; add replicas, or set "
                "UPTAKE_KAFKA_REPLICATION=1 where losing the machine may lose data"
            )


async def _describe(settings: KafkaSettings) -> dict[str, TopicState]:
    async with admin_client(settings) as admin:
        names = {spec.name for spec in TOPICS} & set(await admin.list_topics())
        described = await admin.describe_topics(sorted(names)) if names else []
    return {
        topic["topic"]: TopicState(
            partition_count=len(topic["partitions"]),
            replication=min(
                (len(part["replicas"]) for part in topic["partitions"]), default=0
            ),
        )
        for topic in described
        if not topic["error_code"]
    }
