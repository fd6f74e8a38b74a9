"""Reading a request's body: bounded in bytes, in time, and over all requests."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Self

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import override

from services.ingest.wire.encodings import Unpacking
from services.ingest.wire.problems import ProblemError
from shared.http_protocol import BODY_HAS_COME, BROKEN_FRAMING
from shared.http_refusals import BUSY_RETRY_SECONDS, answer_and_part, discard

# A sender whose connection is cut while it sends would never see the answer, so what
# nobody wants any more is still read for a while, and thrown away.
PARTING_BYTES_MAX: Final = 32 * 1024 * 1024
PARTING_SECONDS_MAX: Final = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a sender may be.

    Attributes:
        whole_seconds_max: Longest time for the whole body.
        pause_seconds_max: Longest time without a byte.
    """

    whole_seconds_max: float
    pause_seconds_max: float


class HeldBytes:
    """What all open requests hold together, and the most that they may."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self.total = 0

    def share(self) -> "Share":
        """Hold for one request; all is given back at the end of the block."""
        return Share(self)

    def change(self, before: int, after: int) -> None:
        """Hold so much in place of so much.

        Raises:
            ProblemError: 503, it is too much. What one request alone wants is never.
        """
        others = self.total - before
        if after > before and others and others + after > self._bytes_max:
            raise ProblemError(
                503,
                "too-busy",
                "Too many open requests",
                "nothing was taken; send the same again later",
                headers={"retry-after": str(BUSY_RETRY_SECONDS)},
            )
        self.total = others + after


class Share:
    """What one request holds."""

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self._bytes = 0

    def __enter__(self) -> Self:
        """Begin with nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give back all."""
        self.hold(0)

    def hold(self, count: int) -> None:
        """Hold so many bytes from now on.

        Raises:
            ProblemError: 503, all requests together hold too many.
        """
        self._held.change(self._bytes, count)
        self._bytes = count


class RequestBody:
    """A body that is read once.

    Attributes:
        is_finished: Whether all of it was read, or nothing more can come.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._waiting: asyncio.Timeout | None = None
        self._interruption: ProblemError | None = None
        self.is_finished = False

    def interrupt(self, reason: ProblemError) -> None:
        """Have whoever reads get this problem, at once."""
        self._interruption = reason
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def rest(self, seconds: float) -> None:
        """Read nothing for a while.

        Raises:
            ProblemError: At once, if the reading is interrupted meanwhile.
        """
        if self._interruption is not None:
            raise self._interruption
        try:
            async with asyncio.timeout(seconds) as self._waiting:
                await asyncio.Event().wait()
        except TimeoutError:
            if self._interruption is not None:
                raise self._interruption from None
        finally:
            self._waiting = None

    async def plain(self, unpacking: Unpacking, pace: Pace) -> AsyncGenerator[bytes]:
        """Yield the body as it was before it was packed.

        Raises:
            ProblemError: It is cut short, too slow, or cannot be unpacked.
        """
        until = asyncio.get_running_loop().time() + pace.whole_seconds_max
        first = await self._receive_body(pace, until)
        packed = self._packed(pace, until, first)
        async for piece in self._unpacked(unpacking, packed):
            yield piece

    async def whole(
        self,
        unpacking: Unpacking,
        pace: Pace,
        *,
        bytes_max: int,
        on_growth: Callable[[int], None],
    ) -> bytes:
        """Return the body unpacked.

        Args:
            unpacking: How it is packed.
            pace: How slow it may be.
            bytes_max: Its greatest size, packed and unpacked.
            on_growth: Told what is held so far; may raise.

        Raises:
            ProblemError: It is too large, or what `plain` raises.
        """
        declared = self._request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > bytes_max:
            raise _too_large(bytes_max)
        until = asyncio.get_running_loop().time() + pace.whole_seconds_max
        first = await self._receive_body(pace, until)
        if self.is_finished and unpacking.is_plain:
            # Nearly every single event.
            if len(first) > bytes_max:
                raise _too_large(bytes_max)
            on_growth(len(first))
            return first
        body = bytearray()
        async for piece in self._unpacked(unpacking, self._packed(pace, until, first)):
            body += piece
            if len(body) > bytes_max:
                raise _too_large(bytes_max)
            on_growth(len(body))
        return bytes(body)

    async def discard(self) -> None:
        """Read on for a while and throw away what comes."""
        if not self.is_finished:
            await discard(
                self._receive,
                bytes_max=PARTING_BYTES_MAX,
                seconds_max=PARTING_SECONDS_MAX,
            )

    async def _unpacked(
        self, unpacking: Unpacking, pieces: AsyncIterator[bytes]
    ) -> AsyncGenerator[bytes]:
        async for packed in pieces:
            for piece in unpacking.feed(packed):
                yield piece
                if self._interruption is not None:
                    raise self._interruption
        unpacking.finish()

    async def _packed(
        self, pace: Pace, until: float, first: bytes
    ) -> AsyncGenerator[bytes]:
        yield first
        while not self.is_finished:
            yield await self._receive_body(pace, until)

    async def _receive_body(self, pace: Pace, until: float) -> bytes:
        message = await self._receive_in_time(pace, until)
        if message["type"] == "http.disconnect":
            raise self._cut_short()
        body: bytes = message.get("body", b"")
        return body

    async def _receive_in_time(self, pace: Pace, until: float) -> Message:
        if self._interruption is not None:
            raise self._interruption
        if BODY_HAS_COME in self._request.scope.get("state", {}):
            # Nearly every request; a timer costs as much as reading the event.
            return await self._receive()
        now = asyncio.get_running_loop().time()
        patience = now + pace.pause_seconds_max
        try:
            async with asyncio.timeout_at(min(until, patience)) as self._waiting:
                return await self._receive()
        except TimeoutError:
            raise self._interruption or _too_slow(pace, patience < until) from None
        finally:
            self._waiting = None

    async def _receive(self) -> Message:
        message = await self._request.receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self.is_finished = True
        return message

    def _cut_short(self) -> ProblemError:
        is_broken = BROKEN_FRAMING in self._request.scope.get("state", {})
        return ProblemError(
            400,
            "cut-short",
            "The body is incomplete",
            "its chunks are not framed as HTTP asks"
            if is_broken
            else "the sender hung up",
        )


class PartingResponse(Response):
    """Answers a sender who still sends, and ends the connection.

    What comes after the answer is read for a while, so that the answer is not lost in
    a connection that was reset.
    """

    def __init__(self, answer: Response, body: RequestBody) -> None:
        super().__init__()
        answer.headers["connection"] = "close"
        self.status_code = answer.status_code
        self._answer = answer
        self._rest = body

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, then let the sender come to an end."""
        await answer_and_part(self._answer, send, self._rest.discard())


def _too_large(bytes_max: int) -> ProblemError:
    return ProblemError(
        413,
        "body-too-large",
        "The body is too large",
        f"send at most {bytes_max:,} bytes at a time",
    )


def _too_slow(pace: Pace, is_pause: bool) -> ProblemError:  # noqa: FBT001 -- told at once
    return ProblemError(
        408,
        "body-too-slow",
        "The body came too slowly",
        f"no byte came for {pace.pause_seconds_max:g} s"
        if is_pause
        else f"it was not complete after {pace.whole_seconds_max:g} s; send less at a "
        "time",
    )
