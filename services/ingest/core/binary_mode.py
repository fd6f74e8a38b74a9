"""An event in binary mode: attributes in header fields, data in the body.

CloudEvents 1.0, HTTP protocol binding, section 3.1.3: what is no printable ASCII in a
value, and space, quotation mark and percent sign, is percent-encoded.
"""

import re
from collections.abc import Iterable
from typing import Final

from services.ingest.core.admission import Refusal
from services.ingest.core.text import echo_name
from shared.errors import RefusalCode

PREFIX: Final = b"ce-"
_PERCENT: Final = re.compile(rb"%(?:([0-9A-Fa-f]{2}))?")
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_UNPRINTABLE: Final = re.compile(rb"[^\x20-\x7e]")

Headers = Iterable[tuple[bytes, bytes]]


class _UnreadableError(Exception):
    """A value that cannot be read; the message says why."""


def is_binary(headers: Headers) -> bool:
    """Tell whether an attribute stands in a header field; names are in lower case."""
    return any(name.startswith(PREFIX) for name, _ in headers)


def event_of(headers: Headers, data: object) -> dict[str, object] | Refusal:
    """Put an event together.

    Args:
        headers: Of the request, names in lower case.
        data: The body, parsed; None where there was none.
    """
    event: dict[str, object] = {}
    for field, value in headers:
        if not field.startswith(PREFIX):
            continue
        name = field.removeprefix(PREFIX).decode("latin-1")
        if name in event:
            return Refusal(
                None, RefusalCode.DUPLICATE_KEY, f"{_field(name)} stands twice"
            )
        try:
            event[name] = _decode(value)
        except _UnreadableError as error:
            return Refusal(None, RefusalCode.BAD_HEADER, f"{_field(name)}: {error}")
    if data is not None:
        event["data"] = data
    return event


def _field(name: str) -> str:
    return f"header field ce-{echo_name(name)}"


def _decode(value: bytes) -> str:
    """Read a value: first its quotation marks, then its percent signs."""
    value = value.strip(b" \t")
    if _UNPRINTABLE.search(value):
        raise _UnreadableError("percent-encode what is not printable ASCII")
    quoted = _QUOTED.fullmatch(value)
    if quoted is not None:
        value = _ESCAPED.sub(rb"\1", quoted[1])
    try:
        return _PERCENT.sub(_byte, value).decode()
    except UnicodeDecodeError:
        raise _UnreadableError("its percent-encoded bytes are not UTF-8") from None


def _byte(found: re.Match[bytes]) -> bytes:
    if found[1] is None:
        raise _UnreadableError("a percent sign is sent as %25")
    return bytes((int(found[1], 16),))
