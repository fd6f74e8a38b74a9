"""Certificates of a test: authorities, servers and clients, as PEM files."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

KEY_PASSWORD = "of-the-key"  # noqa: S105 -- made up


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its key, as files.

    Attributes:
        both: Key and certificate in one file, the key in the form that Java reads.
    """

    certificate: Path
    key: Path
    encrypted_key: Path
    both: Path


class Authority:
    """An authority of a test's own; what it signs lies in one folder."""

    def __init__(self, folder: Path) -> None:
        """Make it, and write its certificate."""
        folder.mkdir(parents=True)
        self._folder = folder
        self._ca = trustme.CA()
        self.path = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(str(self.path))

    def issue(self, *names: str, common_name: str | None = None) -> Identity:
        """Sign a certificate for hosts, or for a client by its common name."""
        # Java takes no certificate without any name of a host.
        hosts = names or (f"{common_name}.client.test",)
        issued = self._ca.issue_cert(*hosts, common_name=common_name)
        stem = common_name or names[0]
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)

        def write(name: str, content: bytes) -> Path:
            path = self._folder / f"{stem}.{name}.pem"
            path.touch(mode=0o600)
            path.write_bytes(content)
            return path

        def key_bytes(encryption: KeySerializationEncryption) -> bytes:
            return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

        return Identity(
            certificate=write("certificate", chain),
            key=write("key", key_bytes(NoEncryption())),
            encrypted_key=write(
                "encrypted", key_bytes(BestAvailableEncryption(KEY_PASSWORD.encode()))
            ),
            both=write("both", key_bytes(NoEncryption()) + chain),
        )
