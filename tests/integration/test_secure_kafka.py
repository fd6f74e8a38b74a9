"""TLS, SCRAM, certificates and permissions, on an Apache Kafka that checks them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest

from shared.errors import FatalError
from shared.events.topics import EVENTS, REFUSED, SUBMISSIONS, TOTALS
from shared.kafka.broker import make_producer
from shared.kafka.connection import connection
from shared.kafka.permissions import Operation, Pattern, Resource, Right, revoke
from tests.support.catalogues import copy_catalogue, write_agency
from tests.support.certificates import Authority
from tests.support.events import THANH_HOA, opened
from tests.support.secure_kafka import SecureKafka
from tests.support.stack import Stack, eventually
from tests.support.submitting import Sent, read_refused, structured, submit
from tests.support.uptake_command import Ran, run_uptake

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
SERVICES = ("ingest", "aggregation", "alerting")
USERS = (
    *(f"uptake-{service}" for service in SERVICES),
    *("uptake-cli", "bank", "coast"),
)
EXIT_SECONDS_MAX = 60
WRONG = "hunter2-is-wrong"


@dataclass(frozen=True, slots=True)
class World:
    """A Kafka that checks who asks, and services that prove who they are."""

    kafka: SecureKafka
    stack: Stack

    def spawn(self, service: str, **environment: str) -> None:
        """Start a service as its own user."""
        name = service.partition("-")[0]
        self.stack.spawn(
            service, **self.kafka.scram_environment(f"uptake-{name}") | environment
        )

    async def refused_start(self, **environment: str) -> str:
        """Start an ingest that must refuse; return its log, without any secret."""
        self.spawn("ingest-refused", **environment)
        child = self.stack.children["ingest-refused"]
        status = await child.wait(EXIT_SECONDS_MAX)
        log_path = self.stack.folder / "ingest-refused" / "log"
        said = log_path.read_text(encoding="utf-8")
        log_path.unlink()
        assert status == 1, said
        for secret in (*self.kafka.passwords.values(), WRONG):
            assert secret not in said
        assert "Traceback" not in said
        return said

    async def refused_command(self, **environment: str) -> Ran:
        """Run a command that must refuse, in one line without any secret."""
        ran = await run_uptake(
            self.stack,
            *("rejected", "list"),
            **self.kafka.scram_environment("uptake-cli") | environment,
        )
        assert ran.status == 1, ran
        assert len(ran.errors.splitlines()) == 1, ran
        for secret in (*self.kafka.passwords.values(), WRONG):
            assert secret not in ran.out + ran.errors
        return ran


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    """Run such a Kafka; the bank and the coast have topics, and nobody else."""
    kafka = SecureKafka(tmp_path / "kafka", USERS)
    catalogue = copy_catalogue(tmp_path / "catalogue")
    write_agency(catalogue, "bank", "38", has_topic=True)
    write_agency(catalogue, "coast", "38", has_topic=True)
    async with kafka:
        stack = Stack(
            broker=kafka,
            bootstrap_servers=kafka.bootstrap_servers,
            dsn=database,
            catalogue=catalogue,
            folder=tmp_path,
            is_embedded=False,
        )
        yield World(kafka, stack)
        await stack.stop()


async def migrate(world: World, **environment: str) -> Ran:
    """Run `uptake migrate` by the back door, naming the users of services."""
    ran = await run_uptake(
        world.stack,
        "migrate",
        UPTAKE_KAFKA_SERVICE_PRINCIPAL="User:uptake-{service}",
        **environment,
    )
    assert ran.status == 0, ran
    return ran


async def fails(
    action: Callable[[], Awaitable[object]], *errors: type[Exception]
) -> str:
    """Do what must not be permitted; return what is said."""
    with pytest.raises(errors) as caught:
        await action()
    return str(caught.value)


async def test_services_come_in_by_tls_and_agencies_keep_to_themselves(
    world: World,
) -> None:
    """Least rights suffice for all services; no agency reaches into another."""
    kafka, stack = world.kafka, world.stack
    said = (await migrate(world)).out
    assert "granted, 0 revoked" in said
    assert "permissions   nothing to do" in (await migrate(world)).out
    for service in SERVICES:
        world.spawn(service)
    for service in SERVICES:
        await stack.wait_ready(service, seconds=60)
    bank = kafka.settings_of("bank")
    await submit(bank, "bank", structured(opened(5)), Sent(b"not json"))
    assert (await stack.post(opened(2))).status == 202
    await stack.wait_applied(2, seconds=60)
    assert await stack.total("cashless_accounts", THANH_HOA) == (7, 0)

    async def is_told() -> bool:
        return len(await read_refused(bank, "bank")) == 1

    await eventually(is_told, what="the refusal is told to the bank")

    listed = await run_uptake(
        stack, "rejected", "list", **kafka.scram_environment("uptake-cli")
    )
    assert (listed.status, listed.errors) == (0, "")
    assert "not_json" in listed.out
    await check_isolation(world)
    log = (stack.folder / "ingest" / "log").read_text(encoding="utf-8")
    assert not any(password in log for password in kafka.passwords.values())


async def check_isolation(world: World) -> None:
    """See that each agency is kept out of all that is not its own."""
    bank, coast = (world.kafka.settings_of(user) for user in ("bank", "coast"))
    forbidden = (TopicAuthorizationFailedError, FatalError)
    await fails(lambda: submit(bank, "coast", Sent(b"{}")), *forbidden)
    await fails(lambda: submit(coast, "bank", Sent(b"{}")), *forbidden)
    await fails(lambda: read_refused(coast, "bank"), *forbidden)
    for topic in (f"{SUBMISSIONS}bank", f"{SUBMISSIONS}coast", EVENTS, TOTALS):
        await fails(partial(read_topic, world, "bank", topic), *forbidden)
    for topic in (EVENTS, f"{REFUSED}bank", "uptake.rejected"):
        await fails(partial(write_topic, world, "bank", topic), *forbidden)


async def read_topic(world: World, user: str, topic: str) -> None:
    """Fetch from a topic's only broker, or fail for want of the permission.

    Asked by hand: where not even the topic's description is permitted, the library's
    consumer waits for it.
    """
    settings = world.kafka.settings_of(user)
    client = AIOKafkaClient(**connection(settings))
    await client.bootstrap()
    try:
        wanted = FetchRequest(100, 1, 1_000_000, 1, [(topic, [(0, 0, 1_000_000)])])
        answer = await client.send(client.get_random_node(), wanted)
    finally:
        await client.close()
    ((_, ((_, code, *_),)),) = answer.topics
    if code:
        raise for_code(code)


async def write_topic(world: World, user: str, topic: str) -> None:
    """Write a record, or fail for want of the permission."""
    producer = make_producer(world.kafka.settings_of(user), linger_ms=0)
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"{}", partition=0)
    finally:
        await producer.stop()


async def test_certificates_are_taken_for_users_as_well(world: World) -> None:
    """Mutual TLS: the common name is the user; an encrypted key needs its password."""
    await migrate(world)
    environment = world.kafka.mutual_environment("uptake-ingest")
    world.stack.spawn("ingest", **environment)
    world.spawn("aggregation")
    await world.stack.wait_ready("ingest", seconds=60)
    await world.stack.wait_ready("aggregation", seconds=60)
    assert (await world.stack.post(opened(3))).status == 202
    await world.stack.wait_applied(1, seconds=60)
    without = {**environment}
    for name in ("CERTIFICATE_FILE", "KEY_FILE"):
        del without[f"UPTAKE_KAFKA_{name}"]
    said = await run_uptake(world.stack, "rejected", "list", **without)
    assert said.status == 1
    assert "does not accept our certificate: sslv3_alert_bad" in said.errors


async def test_who_is_not_let_in_is_told_in_one_line(world: World) -> None:
    """Wrong password, authority, name or protocol: exit status 1, and no secret."""
    await migrate(world)
    kafka = world.kafka
    other = Authority(world.stack.folder / "other")
    cases = (
        ({"UPTAKE_KAFKA_PASSWORD": WRONG}, "refuses user uptake-ingest"),
        ({"UPTAKE_KAFKA_CA_FILE": str(other.path)}, "certificate that is not accepted"),
        (
            {"UPTAKE_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka.scram_port}"},
            "certificate that is not accepted: IP address mismatch",
        ),
        (
            {"UPTAKE_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers},
            "speaks no TLS",
        ),
        (
            {"UPTAKE_KAFKA_BOOTSTRAP_SERVERS": f"localhost:{kafka.mutual_port}"},
            "does not accept our certificate",
        ),
    )
    for environment, expected in cases:
        said = await world.refused_start(**environment)
        assert expected in said, said
        assert said.splitlines()[-1].startswith("kafka at "), said
        ran = await world.refused_command(**environment)
        line = expected.replace("uptake-ingest", "uptake-cli")
        assert line in ran.errors, ran


async def test_producer_without_permission_is_replaced_and_not_the_process(
    world: World,
) -> None:
    """Taken away: 503, nothing counted. Given back: 202 by the same process."""
    await migrate(world)
    world.spawn("ingest")
    await world.stack.wait_ready("ingest", seconds=60)
    assert (await world.stack.post(opened(1))).status == 202
    catalogue = world.stack.catalogue
    pid = world.stack.children["ingest"].pid
    settings = world.stack.kafka_settings
    writing = Right(
        "User:uptake-ingest", Resource.TOPIC, Pattern.LITERAL, EVENTS, Operation.WRITE
    )
    await revoke(settings, writing)
    answer = await world.stack.post(opened(1))
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    await migrate(world)

    async def is_taken() -> bool:
        return (await world.stack.post(opened(1))).status == 202

    await eventually(is_taken, what="202 with the permission back")
    assert world.stack.children["ingest"].pid == pid
    assert "producer_replaced" in (world.stack.folder / "ingest" / "log").read_text(
        encoding="utf-8"
    )
    write_agency(catalogue, "coast", "38")
    assert "0 granted, 1 revoked" in (await migrate(world)).out
    coast = world.kafka.settings_of("coast")
    # It may write nothing at all now, so it may not even be a producer.
    await fails(
        lambda: submit(coast, "coast", Sent(b"{}")), ClusterAuthorizationFailedError
    )
