"""Apache Kafka as the tests run it: durable over crashes, and only from known jars."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.ports import free_port
from tests.support.apache_kafka import ApacheKafka, read_sums, verify_jars
from tests.support.tcp_proxy import TcpProxy

TOPIC = "kept"
FETCH_AND_START_SECONDS_MAX = 600


async def _make_topic(bootstrap_servers: str) -> None:
    """Make the topic, with one partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    finally:
        await admin.close()


async def _send(bootstrap_servers: str, *values: bytes) -> None:
    """Write records that the broker confirms."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True
    ) as producer:
        for value in values:
            await producer.send_and_wait(TOPIC, value, partition=0)


async def _read(bootstrap_servers: str, count: int) -> list[bytes]:
    """Read so many records from the beginning."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False
    )
    async with consumer, asyncio.timeout(20):
        partition = TopicPartition(TOPIC, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        return [(await consumer.getone()).value for _ in range(count)]


@pytest.mark.kafka
@pytest.mark.timeout(FETCH_AND_START_SECONDS_MAX)
async def test_confirmed_records_survive_stop_and_kill(tmp_path: Path) -> None:
    """Restarting on the same port finds what was confirmed before."""
    async with ApacheKafka(tmp_path / "kafka") as kafka:
        address = kafka.bootstrap_servers
        await _make_topic(address)
        await _send(address, b"before a stop")
        await kafka.restart()
        assert kafka.bootstrap_servers == address
        await _send(address, b"before a kill")
        await kafka.kill()
        assert not kafka.is_running
        await kafka.restart()
        assert await _read(address, 2) == [b"before a stop", b"before a kill"]
    assert not kafka.is_running


@pytest.mark.kafka
@pytest.mark.timeout(FETCH_AND_START_SECONDS_MAX)
async def test_clients_are_sent_through_the_advertised_proxy(tmp_path: Path) -> None:
    """All traffic passes the proxy, and comes back after a cut."""
    port = free_port()
    async with TcpProxy(port) as proxy:
        kafka = ApacheKafka(tmp_path, port=port, advertised_port=proxy.port)
        async with kafka:
            address = kafka.bootstrap_servers
            await _make_topic(address)
            await _send(address, b"one")
            seen = proxy.connections_total
            await proxy.cut()
            await proxy.restore()
            await _send(address, b"two")
            assert proxy.connections_total > seen
            assert await _read(address, 2) == [b"one", b"two"]


def _jars(folder: Path) -> dict[str, str]:
    """Write two files and return their sums."""
    sums = {}
    for name in ("a.jar", "b.jar"):
        (folder / name).write_bytes(name.encode())
        sums[name] = hashlib.sha256(name.encode()).hexdigest()
    return sums


def test_exactly_the_listed_jars_are_accepted(tmp_path: Path) -> None:
    """A folder that matches its list passes."""
    verify_jars(tmp_path, _jars(tmp_path))


def test_changed_jar_is_refused(tmp_path: Path) -> None:
    """One changed byte is enough."""
    sums = _jars(tmp_path)
    (tmp_path / "b.jar").write_bytes(b"B.jar")
    with pytest.raises(ServerStartError, match=r"b\.jar differs from"):
        verify_jars(tmp_path, sums)


def test_unlisted_jar_is_refused(tmp_path: Path) -> None:
    """A jar that nobody listed would be on the class path."""
    sums = _jars(tmp_path)
    (tmp_path / "c.jar").write_bytes(b"")
    with pytest.raises(ServerStartError, match=r"c\.jar is not listed"):
        verify_jars(tmp_path, sums)


def test_missing_jar_is_refused(tmp_path: Path) -> None:
    """A listed jar that is not there is named."""
    sums = _jars(tmp_path)
    (tmp_path / "a.jar").unlink()
    with pytest.raises(ServerStartError, match=r"a\.jar is missing"):
        verify_jars(tmp_path, sums)


def test_every_listed_sum_is_a_sha256_of_a_jar() -> None:
    """The list that ships is well-formed and names Kafka itself."""
    sums = read_sums()
    assert any(name.startswith("kafka_2.13-") for name in sums)
    assert all(name.endswith(".jar") for name in sums)
    assert all(len(bytes.fromhex(digest)) == 32 for digest in sums.values())
