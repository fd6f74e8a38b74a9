"""Why Kafka cannot be reached, where it is no outage."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from shared.kafka.refusal import _hear_alert, find_refusal
from shared.settings import KafkaSettings
from shared.tls import client_context
from tests.support.certificates import Authority, Identity


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make an authority."""
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@contextmanager
def demanding_server(authority: Authority, identity: Identity) -> Iterator[int]:
    """Listen on loopback for clients with a certificate; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = listening.accept()
                    with (
                        suppress(OSError),
                        plain,
                        context.wrap_socket(plain, server_side=True) as secure,
                    ):
                        secure.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def settings(authority: Authority, port: int) -> KafkaSettings:
    """Return settings that name a server by its name."""
    return KafkaSettings(
        kafka_bootstrap_servers=f"localhost:{port}",
        kafka_security_protocol="SSL",
        kafka_ca_file=authority.path,
    )


async def test_certificate_that_a_server_misses_is_named(authority: Authority) -> None:
    """To asyncio the handshake is fine, and the connection then just ends."""
    with demanding_server(authority, authority.issue("localhost")) as port:
        said = await find_refusal(settings(authority, port))
    assert said is not None
    assert said.startswith(f"kafka at localhost:{port} does not accept our certificate")
    assert "UPTAKE_KAFKA_CERTIFICATE_FILE" in said


def test_certificate_that_a_server_takes_raises_no_alert(
    authority: Authority, tmp_path: Path
) -> None:
    """One of another authority does."""
    stranger = Authority(tmp_path / "stranger").issue(common_name="ingest")
    own = authority.issue(common_name="ingest")
    with demanding_server(authority, authority.issue("localhost")) as port:
        for identity, expected in ((own, None), (stranger, "tlsv1_alert_unknown_ca")):
            context = client_context(
                ca_file=authority.path,
                certificate_file=identity.certificate,
                key_file=identity.key,
                key_password=None,
            )
            assert _hear_alert(("localhost", port), context) == expected


async def test_server_of_another_name_is_named(
    authority: Authority, tmp_path: Path
) -> None:
    """As is one that another authority vouches for."""
    stranger = Authority(tmp_path / "stranger")
    for signer, name in ((authority, "kafka.test"), (stranger, "localhost")):
        with demanding_server(signer, signer.issue(name)) as port:
            said = await find_refusal(settings(authority, port))
        assert said is not None
        assert "a certificate that is not accepted" in said


async def test_server_that_is_away_is_an_outage(authority: Authority) -> None:
    """Nobody knows whether it would let us in."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert await find_refusal(settings(authority, port)) is None


async def test_plain_connections_are_never_refused() -> None:
    """There is nothing to be wrong about."""
    plain = KafkaSettings(kafka_bootstrap_servers="localhost:9")
    assert await find_refusal(plain) is None
