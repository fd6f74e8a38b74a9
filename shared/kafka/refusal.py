"""Finds out why Kafka cannot be reached, where that is no outage.

The client library tries again whatever the reason, and says none. A wrong password or
a certificate that is not believed would be waited out for ever.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from typing import Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from shared.kafka.connection import credentials, tls_context
from shared.settings import KafkaSettings

ANSWER_TIMEOUT_MS: Final = 3_000
ALERT_SECONDS_MAX: Final = 1.0
BROKERS_MAX: Final = 9
_OURS: Final = "UPTAKE_KAFKA_CERTIFICATE_FILE"
Address = tuple[str, int]


async def find_refusal(settings: KafkaSettings) -> str | None:
    """Say in one line why Kafka turns us away, or we it.

    Returns:
        None where that is not certain: it may be an outage, and pass.
    """
    if settings.kafka_security_protocol == "PLAINTEXT":
        return None
    named = [
        (host, port)
        for host, port, _ in collect_hosts(settings.kafka_bootstrap_servers)
    ]
    advertised: set[Address] = set()
    refusal = await _try_each(settings, named, advertised)
    if refusal is None and advertised:
        refusal = await _try_each(settings, sorted(advertised - set(named)), set())
    return refusal


async def _try_each(
    settings: KafkaSettings, addresses: Iterable[Address], advertised: set[Address]
) -> str | None:
    """Return the first refusal, if no address lets us in.

    Args:
        settings: How to reach Kafka.
        addresses: Where.
        advertised: The addresses that a broker names are added to it.
    """
    first: str | None = None
    for host, port in list(addresses)[:BROKERS_MAX]:
        try:
            connection = await create_conn(
                host,
                port,
                request_timeout_ms=ANSWER_TIMEOUT_MS,
                **credentials(settings),
            )
        except (KafkaError, OSError, TimeoutError) as error:
            reason = _describe(error, settings) or await _ask_again(
                (host, port), settings
            )
            if first is None and reason is not None:
                first = f"kafka at {host}:{port} {reason}"
            continue
        try:
            advertised.update(await _brokers(connection))
        finally:
            connection.close()
        return None
    return first


async def _ask_again(address: Address, settings: KafkaSettings) -> str | None:
    """Find out whether a connection that just ended was ended for a reason."""
    context = tls_context(settings)
    if context is None:
        return None
    if await _speaks_plainly(*address):
        return "speaks no TLS; check UPTAKE_KAFKA_SECURITY_PROTOCOL and the port"
    alert = await asyncio.to_thread(_hear_alert, address, context)
    if alert is None:
        return None
    return f"does not accept our certificate: {alert}; check {_OURS}"


async def _speaks_plainly(host: str, port: int) -> bool:
    try:
        connection = await create_conn(host, port, request_timeout_ms=ANSWER_TIMEOUT_MS)
    except (KafkaError, OSError, TimeoutError):
        return False
    connection.close()
    return True


def _hear_alert(address: Address, context: ssl.SSLContext) -> str | None:
    """Return why the server ended the connection, as TLS has it.

    A server may do so when the client believes that all is well; asyncio then says no
    more than that the connection ended.
    """
    try:
        with (
            socket.create_connection(address, timeout=ALERT_SECONDS_MAX) as plain,
            context.wrap_socket(plain, server_hostname=address[0]) as secure,
        ):
            secure.recv(1)
    except ssl.SSLError as error:
        return (error.reason or "").lower() if "ALERT" in str(error.reason) else None
    except OSError:
        return None
    return None


async def _brokers(connection: AIOKafkaConnection) -> list[Address]:
    try:
        answer = await connection.send(MetadataRequest([]))
    except (KafkaError, OSError, TimeoutError):
        return []
    return [(broker[1], broker[2]) for broker in answer.brokers]


def _describe(error: Exception, settings: KafkaSettings) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"shows a certificate that is not accepted: {error.verify_message}; check "
            "UPTAKE_KAFKA_CA_FILE and the name in UPTAKE_KAFKA_BOOTSTRAP_SERVERS"
        )
    if isinstance(error, ssl.SSLError):
        return (
            f"does not agree to TLS: {error.reason}; check "
            f"UPTAKE_KAFKA_SECURITY_PROTOCOL and {_OURS}"
        )
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"refuses user {settings.kafka_username}: check UPTAKE_KAFKA_USERNAME and "
            "UPTAKE_KAFKA_PASSWORD"
        )
    if isinstance(error, UnsupportedSaslMechanismError | IllegalSaslStateError):
        return (
            "does not take SCRAM-SHA-512 there; check UPTAKE_KAFKA_SECURITY_PROTOCOL "
            "and the port"
        )
    return None
