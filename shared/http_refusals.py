"""Problems that need no application to be told, and answers that end a connection."""

import asyncio
import json
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

PROBLEM_TYPE: Final = "https://uptake.invalid/problems/"
PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
BUSY_RETRY_SECONDS: Final = 1
# What a busy server still reads of what it refused.
REFUSED_BYTES_MAX: Final = 8 * 1024 * 1024
REFUSED_SECONDS_MAX: Final = 1.0


async def discard(receive: Receive, *, bytes_max: int, seconds_max: float) -> None:
    """Read the rest of a body for a while and throw it away."""
    left = bytes_max
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds_max):
            while left > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))


async def answer_and_part(answer: Response, send: Send, rest: Awaitable[None]) -> None:
    """Send an answer while the sender still sends; end when that is discarded.

    A connection that is closed while bytes come in is reset, and the answer is lost
    with it.

    Args:
        answer: It says that the connection is closed.
        send: To the client.
        rest: Discards what still comes.
    """
    await send(
        {
            "type": "http.response.start",
            "status": answer.status_code,
            "headers": answer.raw_headers,
        }
    )
    body = {"type": "http.response.body", "body": bytes(answer.body)}
    await send({**body, "more_body": True})
    await rest
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class TurnedAway(StrEnum):
    """Why a request or a connection never came to an application.

    The last four have no answer: nothing was asked, or nobody would hear it.
    """

    NOT_HTTP = "not_http"
    HEAD_TOO_LARGE = "head_too_large"
    HEAD_TOO_SLOW = "head_too_slow"
    TOO_BUSY = "too_busy"
    SILENT = "silent"
    ANSWER_NOT_READ = "answer_not_read"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    TOO_MANY_IN_LINE = "too_many_in_line"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A problem that needs no application to be told."""

    reason: TurnedAway
    status: HTTPStatus
    slug: str
    title: str
    detail: str
    retry_after_seconds: int | None = None

    @property
    def body(self) -> dict[str, object]:
        """Return the problem (RFC 9457)."""
        return {
            "type": PROBLEM_TYPE + self.slug,
            "title": self.title,
            "status": self.status.value,
            "detail": self.detail,
        }

    @property
    def headers(self) -> dict[str, str]:
        """Return the fields that go with it; the connection ends."""
        headers = {"connection": "close"}
        if self.retry_after_seconds is not None:
            headers["retry-after"] = str(self.retry_after_seconds)
        return headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an application."""
        del scope
        await answer_and_part(
            JSONResponse(
                self.body,
                status_code=self.status.value,
                headers=self.headers,
                media_type=PROBLEM_MEDIA_TYPE,
            ),
            send,
            discard(
                receive, bytes_max=REFUSED_BYTES_MAX, seconds_max=REFUSED_SECONDS_MAX
            ),
        )

    def as_bytes(self) -> bytes:
        """Return the whole response, for a request that no application could get."""
        content = json.dumps(self.body).encode()
        fields = {
            **self.headers,
            "content-type": PROBLEM_MEDIA_TYPE,
            "content-length": str(len(content)),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        line = f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
        return f"{line}{head}\r\n".encode() + content


NOT_HTTP: Final = Refusal(
    TurnedAway.NOT_HTTP,
    HTTPStatus.BAD_REQUEST,
    "not-http",
    "The request is not HTTP/1.1",
    "request line, header fields or framing could not be read; nothing was taken",
)
HEAD_TOO_LARGE: Final = Refusal(
    TurnedAway.HEAD_TOO_LARGE,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head-too-large",
    "The request's head is too large",
    "send a shorter address, fewer or shorter header fields",
)
HEAD_TOO_SLOW: Final = Refusal(
    TurnedAway.HEAD_TOO_SLOW,
    HTTPStatus.REQUEST_TIMEOUT,
    "head-too-slow",
    "The request's head came too slowly",
    "send request line and header fields at once; nothing was taken",
)
TOO_BUSY: Final = Refusal(
    TurnedAway.TOO_BUSY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    "too-busy",
    "Too many open requests",
    "nothing was taken; send the same again later",
    retry_after_seconds=BUSY_RETRY_SECONDS,
)
