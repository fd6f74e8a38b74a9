"""Apache Kafka that checks who asks: TLS, SCRAM, mutual TLS, the standard authorizer.

Its plain listener is the operator's back door, and only that: whoever comes by it is a
super user, so that a test may set things up. Everybody else has to prove himself.
"""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import override

from services.cli.embedded.ports import LOOPBACK, free_port
from shared.settings import KafkaSettings
from tests.support.apache_kafka import ApacheKafka
from tests.support.certificates import Authority

HOST = "localhost"
"""The name in the broker's certificate; 127.0.0.1 is not in it."""
_USER_OF_CERTIFICATE = "RULE:^.*CN=([^,]+).*$/$1/"


class SecureKafka(ApacheKafka):
    """One node with three listeners.

    Attributes:
        authority: Signs the broker's certificate and those of clients.
        passwords: Of the SCRAM users.
        scram_port: TLS and SCRAM-SHA-512.
        mutual_port: TLS that wants a client's certificate; its common name is the user.
    """

    def __init__(self, folder: Path, users: Sequence[str]) -> None:
        """Describe the broker; nothing is started.

        Args:
            folder: Its own folder.
            users: SCRAM users, who get a password made up now.
        """
        super().__init__(folder / "server")
        self.authority = Authority(folder / "certificates")
        self._identity = self.authority.issue(HOST)
        self.passwords = {user: secrets.token_urlsafe(18) for user in users}
        self.scram_port = free_port()
        self.mutual_port = free_port(besides=(self.scram_port,))

    @override
    def extra_settings(self) -> Mapping[str, str]:
        ports = {"SCRAM": self.scram_port, "MUTUAL": self.mutual_port}
        secure = ",".join(f"{name}://{HOST}:{port}" for name, port in ports.items())
        plain = f"PLAINTEXT://{LOOPBACK}:{self.port}"
        controller = f"CONTROLLER://{LOOPBACK}:{self.controller_port}"
        return {
            "listeners": f"{plain},{secure},{controller}",
            "advertised.listeners": f"{plain},{secure}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,"
            "PLAINTEXT:PLAINTEXT,SCRAM:SASL_SSL,MUTUAL:SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._identity.both),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.path),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.mutual.ssl.principal.mapping.rules": _USER_OF_CERTIFICATE,
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.scram.scram-sha-512.sasl.jaas.config": "org.apache.kafka."
            "common.security.scram.ScramLoginModule required;",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer."
            "StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }

    @override
    def format_options(self) -> Sequence[str]:
        options: list[str] = []
        for user, password in self.passwords.items():
            said = f"SCRAM-SHA-512=[name={user},password={password}]"
            options += ["--add-scram", said]
        return options

    def scram_environment(self, user: str) -> dict[str, str]:
        """Return the settings with which a user comes in by SCRAM."""
        return {
            "UPTAKE_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{self.scram_port}",
            "UPTAKE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "UPTAKE_KAFKA_USERNAME": user,
            "UPTAKE_KAFKA_PASSWORD": self.passwords[user],
            "UPTAKE_KAFKA_CA_FILE": str(self.authority.path),
        }

    def mutual_environment(self, user: str) -> dict[str, str]:
        """Return the settings with which a user comes in by a certificate."""
        identity = self.authority.issue(common_name=user)
        return {
            "UPTAKE_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{self.mutual_port}",
            "UPTAKE_KAFKA_SECURITY_PROTOCOL": "SSL",
            "UPTAKE_KAFKA_CERTIFICATE_FILE": str(identity.certificate),
            "UPTAKE_KAFKA_KEY_FILE": str(identity.key),
            "UPTAKE_KAFKA_CA_FILE": str(self.authority.path),
        }

    def settings_of(self, user: str) -> KafkaSettings:
        """Return the same as settings."""
        given = {
            name.removeprefix("UPTAKE_").lower(): value
            for name, value in self.scram_environment(user).items()
        }
        return KafkaSettings.model_validate(given)
