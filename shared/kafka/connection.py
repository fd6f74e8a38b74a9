"""How every client connects: address, TLS and user."""

import ssl
from typing import Any, Final

from shared.settings import KafkaSettings
from shared.tls import client_context

MECHANISM: Final = "SCRAM-SHA-512"


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments with which every client connects; holds the password."""
    return {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        **credentials(settings),
    }


def credentials(settings: KafkaSettings) -> dict[str, Any]:
    """Return the same without the address."""
    said: dict[str, Any] = {
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": tls_context(settings),
    }
    if settings.kafka_password is not None:
        said["sasl_mechanism"] = MECHANISM
        said["sasl_plain_username"] = settings.kafka_username
        said["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return said


def tls_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """Return how TLS is spoken; None where it is not."""
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    return client_context(
        ca_file=settings.kafka_ca_file,
        certificate_file=settings.kafka_certificate_file,
        key_file=settings.kafka_key_file,
        key_password=settings.kafka_key_password,
    )
