"""Create the topics and refuse ones that would lose or scatter records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka.admin import NewTopic
from aiokafka.admin.client import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
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
        configs: The topic's settings.
    """

    partition_count: int
    replication: int
    configs: Mapping[str, str]


async def create_topics(
    settings: KafkaSettings, specs: Sequence[TopicSpec] = TOPICS
) -> tuple[str, ...]:
    """Create the topics that are missing; leave those that exist as they are.

    Args:
        settings: How to reach Kafka.
        specs: Topics that there shall be.

    Returns:
        Names of the topics created now.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: Kafka refuses a topic.
    """
    async with admin_client(settings) as admin:
        existing = set(await admin.list_topics())
        missing = [spec for spec in specs if spec.name not in existing]
        return tuple([s.name for s in missing if await _create(admin, s, settings)])


async def _create(
    admin: AIOKafkaAdminClient, spec: TopicSpec, settings: KafkaSettings
) -> bool:
    topic = NewTopic(
        name=spec.name,
        num_partitions=spec.partitions or settings.kafka_partitions,
        replication_factor=settings.kafka_replication,
        topic_configs=_configs_of(spec, settings),
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
            has fewer replicas or another setting than promised.
    """
    states = await _describe(settings)
    for spec in TOPICS:
        state = states.get(spec.name)
        if state is None:
            raise FatalError(
                f"topic {spec.name} does not exist, or this user may not describe it; "
                "run `uptake migrate` first"
            )
        wanted = spec.partitions or settings.kafka_partitions
        if state.partition_count != wanted:
            raise FatalError(
                f"topic {spec.name} has {state.partition_count} partitions, "
                f"not {wanted}; the count is fixed at creation, so set "
                "UPTAKE_KAFKA_PARTITIONS to what it was created with"
            )
        _check_configs(spec, state, settings)
        if state.replication < settings.kafka_replication:
            raise FatalError(
                f"topic {spec.name} has {state.replication} replicas, not "
                f"{settings.kafka_replication}; add replicas, or set "
                "UPTAKE_KAFKA_REPLICATION=1 where losing the machine may lose data"
            )


def _check_configs(spec: TopicSpec, state: TopicState, settings: KafkaSettings) -> None:
    """Refuse a topic whose settings would lose records or their log time."""
    if not state.configs:
        raise FatalError(
            f"the settings of topic {spec.name} may not be read by this user; grant it "
            "DescribeConfigs"
        )
    for name, wanted in _configs_of(spec, settings).items():
        found = state.configs.get(name)
        if found != wanted:
            raise FatalError(
                f"topic {spec.name} has {name}={found}, not {wanted}; set it by "
                "Kafka's tools, or delete the topic if it is empty and run "
                "`uptake migrate`"
            )


def _configs_of(spec: TopicSpec, settings: KafkaSettings) -> dict[str, str]:
    in_sync_min = max(1, settings.kafka_replication - 1)
    return {**spec.configs, "min.insync.replicas": str(in_sync_min)}


async def _describe(settings: KafkaSettings) -> dict[str, TopicState]:
    async with admin_client(settings) as admin:
        names = {spec.name for spec in TOPICS} & set(await admin.list_topics())
        if not names:
            return {}
        described = await admin.describe_topics(sorted(names))
        answers = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(names)]
        )
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    return {
        topic["topic"]: TopicState(
            partition_count=len(topic["partitions"]),
            replication=min(
                (len(part["replicas"]) for part in topic["partitions"]), default=0
            ),
            configs=configs.get(topic["topic"], {}),
        )
        for topic in described
        if not topic["error_code"]
    }
