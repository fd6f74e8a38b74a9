"""Checks an address of Postgres before any driver sees it.

Drivers quote what they cannot read, and an address holds a password.
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import SecretStr

_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::[0-9]{1,5})?")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FORM: Final = (
    "not like postgresql://user:password@host:port/database; in a password write "
    "%2F for /, %40 for @, %3A for :, %23 for #, %3F for ? and %25 for %"
)


def check_dsn(dsn: SecretStr) -> SecretStr:
    """Return an address whose parts can be told apart and whose files are there.

    Raises:
        ValueError: It cannot be read; nothing of it but a file's name is quoted.
    """
    text = dsn.get_secret_value()
    parts = _split(text)
    if parts is None:
        raise ValueError(_FORM)
    for name, values in parse_qs(parts.query).items():
        if name in _FILES and not Path(values[-1]).is_file():
            message = f"{name}: no such file: {values[-1]}"
            raise ValueError(message)
    return dsn


def _split(text: str) -> SplitResult | None:
    if _BROKEN_ESCAPE.search(text) or re.search(r"[\s\x00-\x1f]", text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if parts.scheme not in {"postgresql", "postgres"} or parts.fragment:
        return None
    return parts if all(_HOST.fullmatch(host) for host in hosts) else None
