"""Emptying a service before it stops: what is open is answered, what is new is not."""

import asyncio
from contextlib import suppress
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http import GRACE_SECONDS, problem

_ALWAYS_ANSWERED: Final = frozenset({"/health/live", "/health/ready", "/metrics"})


class Drain:
    """An application that can be emptied: what is open ends, what is new gets 503.

    Probes and metrics are answered to the end, so that a load balancer sees it coming.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = 0
        self._is_draining = False
        self._has_ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in _ALWAYS_ANSWERED:
            await self._app(scope, receive, send)
            return
        if self._is_draining:
            await _stopping()(scope, receive, send)
            return
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            self._has_ended.set()

    async def empty(self) -> None:
        """Take nothing new, and wait for what is open, within bounds."""
        self._is_draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while self._open:
                    self._has_ended.clear()
                    await self._has_ended.wait()


def _stopping() -> Response:
    return problem(
        503,
        "stopping",
        "The service is stopping",
        "nothing was taken; send it again in a moment, with the same ids",
        headers={"retry-after": "2", "connection": "close"},
    )
