"""The one way in which we are a client of TLS: server and host name are verified."""

import ssl
from pathlib import Path

from pydantic import SecretStr


def client_context(
    *,
    ca_file: Path | None,
    certificate_file: Path | None,
    key_file: Path | None,
    key_password: SecretStr | None,
) -> ssl.SSLContext:
    """Make a context that accepts only servers which prove the name they go by.

    Args:
        ca_file: Authorities that are believed, PEM; the system's when None.
        certificate_file: Our own certificate with its chain, PEM; None for none.
        key_file: Its private key, PEM.
        key_password: What the key is encrypted with.

    Raises:
        ValueError: One line on the file that is wrong; no secret is in it.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        message = f"{ca_file}: no PEM file of certificates ({_reason(error)})"
        raise ValueError(message) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate_file is not None:
        # Without a password OpenSSL would ask for one at the terminal.
        password = key_password.get_secret_value() if key_password else ""
        try:
            context.load_cert_chain(certificate_file, key_file, lambda: password)
        except (OSError, ValueError) as error:
            message = f"{certificate_file} and {key_file}: no certificate with the "
            message += f"private key that belongs to it ({_reason(error)})"
            raise ValueError(message) from None
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "unreadable, or the password is wrong").lower()
    if isinstance(error, OSError):
        return (error.strerror or "unreadable").lower()
    return "unreadable"
