"""The door as a whole, without a socket: every answer is one of the documented."""

import asyncio
import logging
from typing import Any, Final

from tests.contract.documented import OPENAPI, validator
from tests.contract.door_answers import KEY, Request, ask, make_frame
from tests.fuzz.inputs import message_of

RESPONSES: Final[dict[str, Any]] = OPENAPI["paths"]["/v1/events"]["post"]["responses"]
_VALIDATORS: Final = {
    (status, media_type): validator(OPENAPI, content["schema"])
    for status, response in RESPONSES.items()
    for media_type, content in response.get("content", {}).items()
}
# Rates are by the second, and a fuzzer sends more than any agency.
_LIMITS: Final = {
    "agency_events_per_second": 1_000_000,
    "agency_burst_events": 100_000_000,
    "event_bytes_max": 2_048,
}
_APP: Final = make_frame(limits=_LIMITS).app


def ask_door(data: bytes) -> None:
    """Ask with a query, a head and a body; the document knows the answer.

    Raises:
        AssertionError: It does not.
    """
    message = message_of(data)
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in message.fields
        if name.isascii() and name not in (b"authorization", b"content-type")
    )
    content_type = b",".join(
        value for name, value in message.fields if name == b"content-type"
    )
    request = Request(
        message.body,
        query=message.first.decode("latin-1").encode("ascii", "replace").decode(),
        content_type=content_type.decode("latin-1"),
        headers=headers,
        key=KEY,
    )
    logging.disable(logging.CRITICAL)
    try:
        answer = asyncio.run(ask(_APP, request))
    finally:
        logging.disable(logging.NOTSET)
    found = _VALIDATORS.get((str(answer.status), answer.media_type))
    assert found is not None, (answer.status, answer.media_type)
    found.validate(answer.json())
    for header, described in RESPONSES[str(answer.status)].get("headers", {}).items():
        assert not described["required"] or header.lower() in answer.headers
