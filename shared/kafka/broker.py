"""The one factory of Kafka clients; every setting that decides about loss is said.

The libraries' own defaults acknowledge first, start at the latest offset and read
what was never committed (STYLE, framework facts); none of them is relied on here.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLScram512

from shared.errors import FatalError, TransientError
from shared.kafka.connection import connection, tls_context
from shared.kafka.refusal import find_refusal
from shared.settings import KafkaSettings

REQUEST_TIMEOUT_MS: Final = 10_000
RECORD_BYTES_MAX: Final = 1_000_000
GRACEFUL_SECONDS: Final = 2.0
PRODUCER_BATCH_BYTES_MAX: Final = 512 * 1024
FETCH_BYTES_MAX: Final = 8 * 1024 * 1024
PARTITION_FETCH_BYTES_MAX: Final = 2 * 1024 * 1024


_NOT_PERMITTED: Final = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)


def make_producer(settings: KafkaSettings, *, linger_ms: int) -> AIOKafkaProducer:
    """Build a producer whose acknowledgement means: on all in-sync replicas.

    Args:
        settings: How to reach Kafka.
        linger_ms: How long a record waits for company before it is sent.
    """
    return AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        linger_ms=linger_ms,
        max_batch_size=PRODUCER_BATCH_BYTES_MAX,
        max_request_size=RECORD_BYTES_MAX,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


def make_consumer(
    settings: KafkaSettings, *topics: str, group_id: str | None
) -> AIOKafkaConsumer:
    """Build a consumer that commits only what it is told to commit.

    Args:
        settings: How to reach Kafka.
        topics: Topics to subscribe to; none when partitions are assigned by hand.
        group_id: Consumer group, or None to read alone.
    """
    return AIOKafkaConsumer(
        *topics,
        **connection(settings),
        group_id=group_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_500,
        max_poll_interval_ms=300_000,
        fetch_max_wait_ms=settings.kafka_fetch_wait_ms,
        fetch_max_bytes=FETCH_BYTES_MAX,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES_MAX,
    )


def make_broker(settings: KafkaSettings) -> KafkaBroker:
    """Build a FastStream broker; subscribers set their own acknowledgement policy."""
    return KafkaBroker(
        settings.kafka_bootstrap_servers,
        security=_security(settings),
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        # Handlers take raw bytes; no model is made of their annotations.
        apply_types=False,
        serializer=None,
        graceful_timeout=GRACEFUL_SECONDS,
        logger=None,
    )


def _security(settings: KafkaSettings) -> BaseSecurity | None:
    """Say to FastStream what `connection` says to aiokafka."""
    context = tls_context(settings)
    if settings.kafka_password is None:
        return None if context is None else BaseSecurity(context, use_ssl=True)
    return SASLScram512(
        username=settings.kafka_username or "",
        password=settings.kafka_password.get_secret_value(),
        ssl_context=context,
        use_ssl=context is not None,
    )


@asynccontextmanager
async def admin_client(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an admin client for a moment.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: Kafka, or its certificate, is not to be had with these settings.
    """
    client = AIOKafkaAdminClient(
        **connection(settings), request_timeout_ms=REQUEST_TIMEOUT_MS
    )
    try:
        await client.start()
        yield client
    except _NOT_PERMITTED as error:
        raise FatalError(
            f"kafka does not permit it to this user: {type(error).__name__}"
        ) from error
    except (KafkaError, OSError, TimeoutError) as error:
        refusal = await find_refusal(settings)
        if refusal is not None:
            raise FatalError(refusal) from error
        raise TransientError(
            f"kafka is away: {type(error).__name__}: {error}"
        ) from error
    finally:
        await client.close()


@asynccontextmanager
async def outages_as_transient() -> AsyncIterator[None]:
    """Turn what an outage of Kafka raises into `TransientError`."""
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise TransientError(
            f"kafka is away: {type(error).__name__}: {error}"
        ) from error
