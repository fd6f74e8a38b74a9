"""Somebody who receives webhooks, and checks them without any code of ours."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the secret that came before it ").decode()


@dataclass(frozen=True, slots=True)
class Received:
    """One request, whatever was answered."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The message's id."""
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        """Check a signature as Standard Webhooks says."""
        key = base64.b64decode(secret.partition("_")[2])
        content = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
        given = self.headers["webhook-signature"].split()
        return f"v1,{wanted.decode()}" in given


@dataclass(slots=True)
class Receiver:
    """What came in, and what is answered to it.

    Attributes:
        answer: Gives the answer to a request; the number of those before is told.
    """

    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received, int], web.Response] = field(
        default=lambda _request, _before: web.Response(status=204)
    )
    port: int = 0

    def at(self, path: str) -> list[Received]:
        """Return what came to a path."""
        return [each for each in self.received if each.path == path]


@asynccontextmanager
async def receiving(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Receiver]:
    """Listen on loopback."""
    receiver = Receiver()

    async def take(request: web.Request) -> web.Response:
        found = Received(
            request.path,
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        before = len(receiver.at(found.path))
        receiver.received.append(found)
        return receiver.answer(found, before)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        receiver.port = runner.addresses[0][1]
        yield receiver
    finally:
        await runner.cleanup()
