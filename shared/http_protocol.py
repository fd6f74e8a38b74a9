"""uvicorn's HTTP protocol, with the bounds that it lacks.

A request's head has a size, a number of fields and a time to arrive in; a connection
holds few requests that wait behind one another, and is cut when its other end does not
read what it is answered. What is answered before an application is asked is a problem
like any other. A body whose framing is broken ends for the application as if the
sender had hung up, but it can still answer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httptools
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from shared.http_refusals import (
    HEAD_TOO_LARGE,
    HEAD_TOO_SLOW,
    NOT_HTTP,
    TOO_BUSY,
    Refusal,
    TurnedAway,
)

BROKEN_FRAMING: Final = "broken_framing"
"""In a request's state: its body ended because its framing is not HTTP."""
BODY_HAS_COME: Final = "body_has_come"
"""In a request's state: all of its body is here, and reading it waits for nobody."""
# What tells whether a service lives must be told while it has much to do.
_PROBES: Final = (b"/health/", b"/metrics")


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one client may ask of a server before anything is decided about it.

    Attributes:
        head_bytes: Longest request line with all header fields.
        head_fields: Most header fields.
        head_seconds: Longest wait for a whole head, and for the first byte.
        unread_seconds: Longest wait for a client that does not read its answer.
        open_requests: Most requests, and most connections; probes are let through up
            to twice as many, and more connections are not kept.
        waiting_requests: Most requests on a connection that wait for one before them.
    """

    head_bytes: int = 32 * 1024
    head_fields: int = 100
    head_seconds: float = 15.0
    unread_seconds: float = 30.0
    open_requests: int = 1_000
    waiting_requests: int = 8


class HttpConfig(uvicorn.Config):
    """uvicorn's configuration, our limits, and who is told of what they turn away."""

    def __init__(
        self,
        app: ASGIApp,
        limits: HttpLimits,
        on_turned_away: Callable[[TurnedAway], None],
        **options: Any,  # noqa: ANN401 -- those of uvicorn
    ) -> None:
        super().__init__(
            Framed(app), http=BoundedProtocol, ws="none", lifespan="off", **options
        )
        self.limits = limits
        self.on_turned_away = on_turned_away


class Framed:
    """Ends a body whose framing broke as a hang-up, which is answered all the same."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        state = scope["state"]

        async def receive_framed() -> Message:
            message = await receive()
            return {"type": "http.disconnect"} if BROKEN_FRAMING in state else message

        await self._app(scope, receive_framed, send)


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(config, HttpConfig)
        self._limits = config.limits
        self._note = config.on_turned_away
        # Ours answers with a problem, and lets probes through.
        self.limit_concurrency = None
        self._answering: RequestResponseCycle | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None
        self._in_head = False
        self._has_offer = False
        self._is_broken = False
        self._steps = 0
        self._unseen_bytes = 0
        self._head_bytes = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > 2 * self._limits.open_requests:
            # Also one that asks nothing takes a file descriptor.
            self._note(TurnedAway.TOO_MANY_CONNECTIONS)
            transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self._stop_unread_timer()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._is_broken:
            # The parser cannot go on; what was asked before is still answered.
            return
        self._unset_keepalive_if_required()
        steps = self._steps
        if not self._parse(data):
            return
        # What the parser keeps until a field is whole, or skips, is seen by nobody.
        self._unseen_bytes = (
            0 if self._steps != steps else self._unseen_bytes + len(data)
        )
        if self._unseen_bytes > self._limits.head_bytes:
            self._break(HEAD_TOO_LARGE if self._in_head else NOT_HTTP)
        elif not self._in_head and self._is_idle and self._head_timer is None:
            # Empty lines before a request stop uvicorn's timer, and begin none.
            self._await_head()

    def _parse(self, data: bytes) -> bool:
        """Feed the parser; tell whether the connection goes on."""
        left = data
        while left:
            try:
                self.parser.feed_data(left)
            except httptools.HttpParserUpgrade as offer:
                # The parser takes what follows for the other protocol. A client that
                # goes on with HTTP, as Java's does, would lose its body.
                left = self._head_without_offer() + left[offer.args[0] :]
            except httptools.HttpParserError:
                self._break(HEAD_TOO_LARGE if self._is_head_large else NOT_HTTP)
                return False
            else:
                return True
        return True

    def _head_without_offer(self) -> bytes:
        """Write the head again for a new parser, without the offer of a protocol."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        fields = (
            b"%s: %s\r\n" % each for each in self.headers if each[0] != b"upgrade"
        )
        line = b"%s %s HTTP/%s\r\n" % (method, self.url, version.encode())
        return line + b"".join(fields) + b"\r\n"

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._steps += 1
        self._in_head = True
        self._head_bytes = 0
        self._await_head()

    @override
    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._measure_head(len(url))

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        # Fields behind a body of chunks are used by nobody.
        if self._in_head:
            super().on_header(name, value)
            self._measure_head(len(name) + len(value))

    @override
    def on_headers_complete(self) -> None:
        self._steps += 1
        self._in_head = False
        self._stop_head_timer()
        self._has_offer = self.parser.should_upgrade()
        if self._has_offer:
            if self.parser.get_method() == b"CONNECT":
                raise ValueError("this is no proxy")
            return
        whole = self.app
        self.app = self._refused() or whole
        try:
            super().on_headers_complete()
        finally:
            self.app = whole
        if len(self.pipeline) > self._limits.waiting_requests:
            # Ends the parsing; what is under way is answered.
            self._note(TurnedAway.TOO_MANY_IN_LINE)
            raise ValueError("too many requests wait on one connection")

    @override
    def on_body(self, body: bytes) -> None:
        self._steps += 1
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._steps += 1
        if not self._has_offer:
            super().on_message_complete()
            self.cycle.scope["state"][BODY_HAS_COME] = True

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_unread_timer()
        self._unread_timer = self.loop.call_later(
            self._limits.unread_seconds, self._give_up_on_reader
        )

    @override
    def resume_writing(self) -> None:
        self._stop_unread_timer()
        super().resume_writing()

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def _is_idle(self) -> bool:
        return self._answering is None or self._answering.response_complete

    @property
    def _is_head_large(self) -> bool:
        limits = self._limits
        is_long = self._head_bytes > limits.head_bytes
        return self._in_head and (is_long or len(self.headers) > limits.head_fields)

    def _measure_head(self, count: int) -> None:
        self._head_bytes += count
        if self._is_head_large:
            # Ends the parsing.
            raise ValueError("the head is too large")

    def _refused(self) -> Refusal | None:
        """Decide on a request before its application is asked."""
        most = self._limits.open_requests * (2 if self.url.startswith(_PROBES) else 1)
        if len(self.connections) > most or len(self.tasks) >= most:
            self._note(TOO_BUSY.reason)
            return TOO_BUSY
        return None

    def _break(self, refusal: Refusal) -> None:
        """Take no more requests from this connection.

        A request under way is answered by its application, which learns that the rest
        of its body will not come; without one, the refusal is the answer.
        """
        self._is_broken = True
        self._stop_head_timer()
        self.pipeline.clear()
        cycle = self._answering
        if cycle is None or cycle.response_complete:
            if self.transport.is_closing():
                return
            self._note(refusal.reason)
            self.transport.write(refusal.as_bytes())
            self.transport.close()
            return
        cycle.keep_alive = False
        if cycle.more_body:
            cycle.scope["state"][BROKEN_FRAMING] = True
            cycle.more_body = False
            cycle.message_event.set()

    def _await_head(self) -> None:
        self._stop_head_timer()
        self._head_timer = self.loop.call_later(
            self._limits.head_seconds, self._give_up_on_head
        )

    def _give_up_on_head(self) -> None:
        self._head_timer = None
        if self._in_head:
            self._break(HEAD_TOO_SLOW)
        elif self._is_idle:
            self._note(TurnedAway.SILENT)
            self.transport.close()

    def _give_up_on_reader(self) -> None:
        self._unread_timer = None
        self._note(TurnedAway.ANSWER_NOT_READ)
        self.transport.abort()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None
