"""What the broker permits to whom: the rights of agencies to their own topics.

Needs Apache Kafka's authorizer. The client library has the requests and no method for
them, so they are sent as they are.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import (
    CreateAclsRequest,
    DeleteAclsRequest,
    DescribeAclsRequest,
)

from shared.errors import FatalError, TransientError
from shared.events.topics import (
    AGGREGATION_GROUP,
    ALERTS,
    EVENTS,
    REFUSED,
    REJECTED,
    SUBMISSIONS,
    SUBMISSIONS_GROUP,
    TOPICS,
    TOTALS,
    agency_topics,
)
from shared.kafka.broker import REQUEST_TIMEOUT_MS
from shared.kafka.connection import connection
from shared.kafka.refusal import find_refusal
from shared.settings import KafkaSettings

# Numbers of Kafka's protocol.
_ALLOW: Final = 3
_ANY: Final = 1
_EVERYWHERE: Final = "*"
_SECURITY_DISABLED: Final = 54


class Resource(IntEnum):
    """What a right is about."""

    TOPIC = 2
    GROUP = 3


class Pattern(IntEnum):
    """Whether a right's name is meant whole or as a beginning."""

    LITERAL = 3
    PREFIXED = 4


class Operation(IntEnum):
    """What is permitted."""

    READ = 3
    WRITE = 4
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One permission of one user."""

    principal: str
    resource: Resource
    pattern: Pattern
    name: str
    operation: Operation


_Use = tuple[Resource, Pattern, str, tuple[Operation, ...]]
_TOPIC, _GROUP = Resource.TOPIC, Resource.GROUP
_WHOLE, _BEGINNING = Pattern.LITERAL, Pattern.PREFIXED
_READ, _WRITE = (Operation.READ,), (Operation.WRITE,)
# Every service looks at its start whether the topics keep what is promised.
_TOPIC_CHECKS: Final[tuple[_Use, ...]] = tuple(
    (_TOPIC, _WHOLE, spec.name, (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS))
    for spec in TOPICS
)
SERVICE_USES: Final[Mapping[str, tuple[_Use, ...]]] = {
    "ingest": (
        (_TOPIC, _WHOLE, EVENTS, _WRITE),
        (_TOPIC, _WHOLE, REJECTED, (*_READ, *_WRITE)),
        (_TOPIC, _BEGINNING, SUBMISSIONS, _READ),
        (_TOPIC, _BEGINNING, REFUSED, _WRITE),
        (_GROUP, _WHOLE, SUBMISSIONS_GROUP, _READ),
    ),
    "aggregation": (
        (_TOPIC, _WHOLE, EVENTS, _READ),
        (_TOPIC, _WHOLE, REJECTED, _WRITE),
        (_TOPIC, _WHOLE, TOTALS, _WRITE),
        (_GROUP, _WHOLE, AGGREGATION_GROUP, _READ),
    ),
    "alerting": (
        (_TOPIC, _WHOLE, TOTALS, _READ),
        (_TOPIC, _WHOLE, ALERTS, _WRITE),
    ),
    # Commands that read. Those that redrive or drop are ingest's and go as its user.
    "cli": ((_TOPIC, _WHOLE, EVENTS, _READ), (_TOPIC, _WHOLE, REJECTED, _READ)),
}
"""What each service reads and writes; reading or writing a topic shows it, too."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """What a synchronisation of rights changed."""

    granted: int
    revoked: int


def agency_rights(agency: str, principal: str) -> frozenset[Right]:
    """Return all that an agency may do at the broker.

    Its own topic it writes and does not read; what was refused it reads, in consumer
    groups of its own. No id has a dot, so no agency's prefix is another's.
    """
    submissions, refused = (spec.name for spec in agency_topics(agency))
    literal, topic = Pattern.LITERAL, Resource.TOPIC
    return frozenset(
        {
            Right(principal, topic, literal, submissions, Operation.WRITE),
            Right(principal, topic, literal, submissions, Operation.DESCRIBE),
            Right(principal, topic, literal, refused, Operation.READ),
            Right(principal, topic, literal, refused, Operation.DESCRIBE),
            Right(
                principal,
                Resource.GROUP,
                Pattern.PREFIXED,
                f"agency.{agency}.",
                Operation.READ,
            ),
        }
    )


def service_rights(principals: Mapping[str, str]) -> frozenset[Right]:
    """Return the least that each service needs at the broker.

    Args:
        principals: By service, the name under which the broker knows it.
    """
    return frozenset(
        Right(principals[service], resource, pattern, name, operation)
        for service, uses in SERVICE_USES.items()
        for resource, pattern, name, operations in (*uses, *_TOPIC_CHECKS)
        for operation in operations
    )


async def permit(
    settings: KafkaSettings,
    principals: Mapping[str, str],
    further: Collection[Right] = (),
) -> Permitted | None:
    """Give agencies their rights, and take away those of agencies that have gone.

    Taken away are only rights to write one agency's submissions, where the principal is
    not that agency's, whoever granted them.

    Args:
        settings: How to reach Kafka, as a user who may alter the cluster.
        principals: By agency, the name under which the broker knows it.
        further: Rights to give besides.

    Returns:
        None where the broker checks no permissions.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: Kafka refuses us or a right.
    """
    wanted = {
        right
        for agency, principal in principals.items()
        for right in agency_rights(agency, principal)
    } | set(further)
    if not settings.kafka_idempotence:
        # The embedded broker; it has no users, and no answer that could be read.
        return None
    async with _client(settings) as client:
        if not principals and not further and not await _has_submissions(client):
            # Where nobody has a topic, nobody need be allowed to list permissions.
            return Permitted(0, 0)
        found = await _describe(client)
        if found is None:
            return None
        missing = sorted(wanted - found)
        surplus = sorted(
            right
            for right in found - wanted
            if right.name.startswith(SUBMISSIONS)
            and right.pattern is Pattern.LITERAL
            and right.operation is Operation.WRITE
        )
        for right in missing:
            await _grant(client, right)
        for right in surplus:
            await _revoke(client, right)
        return Permitted(len(missing), len(surplus))


async def revoke(settings: KafkaSettings, right: Right) -> None:
    """Take a right away, e.g. of an agency whose password has become known.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: Kafka refuses us.
    """
    async with _client(settings) as client:
        await _revoke(client, right)


@asynccontextmanager
async def _client(settings: KafkaSettings) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(
        **connection(settings), request_timeout_ms=REQUEST_TIMEOUT_MS
    )
    try:
        await client.bootstrap()
        yield client
    except (KafkaError, OSError, TimeoutError) as error:
        refusal = await find_refusal(settings)
        if refusal is not None:
            raise FatalError(refusal) from error
        raise TransientError(
            f"kafka is away: {type(error).__name__}: {error}"
        ) from error
    finally:
        await client.close()


async def _has_submissions(client: AIOKafkaClient) -> bool:
    cluster = await client.fetch_all_metadata()
    return any(topic.startswith(SUBMISSIONS) for topic in cluster.topics())


async def _describe(client: AIOKafkaClient) -> set[Right] | None:
    """Return the rights that are granted; None where the broker checks none."""
    request = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ALLOW)
    answer = await _send(client, request)
    if answer.error_code == _SECURITY_DISABLED:
        return None
    _check(answer.error_code, answer.error_message, "listing permissions")
    return {
        right
        for kind, name, pattern, entries in answer.resources
        for principal, host, operation, _ in entries
        if (right := _right(principal, kind, pattern, name, operation)) is not None
        and host == _EVERYWHERE
    }


def _right(
    principal: str, kind: int, pattern: int, name: str, operation: int
) -> Right | None:
    """Return a right of the kinds that we grant; None for any other."""
    try:
        return Right(
            principal, Resource(kind), Pattern(pattern), name, Operation(operation)
        )
    except ValueError:
        return None


async def _grant(client: AIOKafkaClient, right: Right) -> None:
    answer = await _send(
        client,
        CreateAclsRequest(
            right.resource,
            right.name,
            right.pattern,
            right.principal,
            _EVERYWHERE,
            right.operation,
            _ALLOW,
        ),
    )
    for code, message in answer.creation_responses:
        _check(code, message, f"a permission of {right.principal} on {right.name}")


async def _revoke(client: AIOKafkaClient, right: Right) -> None:
    answer = await _send(
        client,
        DeleteAclsRequest(
            right.resource,
            right.name,
            right.pattern,
            right.principal,
            _EVERYWHERE,
            right.operation,
            _ALLOW,
        ),
    )
    for code, message, *_ in answer.filter_responses:
        _check(code, message, f"taking {right.name} from {right.principal}")


async def _send(client: AIOKafkaClient, request: object) -> Any:  # noqa: ANN401 -- the library has no types
    return await client.send(client.get_random_node(), request)


def _check(code: int, message: str | None, what: str) -> None:
    if code:
        raise FatalError(
            f"kafka refuses {what}: {for_code(code).__name__}"
            + (f": {message}" if message else "")
        )
