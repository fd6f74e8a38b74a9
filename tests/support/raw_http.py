"""A server within the test, and a client that says exactly what it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from shared.http import make_server, serve
from shared.http_protocol import HttpLimits
from shared.metrics import new_registry
from tests.support.stack import eventually

ANSWER_SECONDS_MAX = 20.0


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A response as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """Return the problem that it must be, in one line each."""
        assert self.headers["content-type"] == "application/problem+json", self
        said: dict[str, Any] = json.loads(self.body)
        assert said["status"] == self.status
        assert "\n" not in said["detail"]
        return said

    @property
    def slug(self) -> str:
        """Return the last part of the problem's type."""
        return str(self.problem["type"]).rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Wire:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, *parts: bytes) -> None:
        """Send bytes; a server that no longer listens is no error."""
        try:
            for part in parts:
                self.writer.write(part)
                await self.writer.drain()
        except ConnectionError:
            pass

    async def hear(self) -> RawAnswer:
        """Read one response."""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            head = await self.reader.readuntil(b"\r\n\r\n")
            line, *fields = head.decode("latin-1").rstrip().split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (field.partition(":") for field in fields)
            }
            length = int(headers.get("content-length", "0"))
            body = await self.reader.readexactly(length)
        return RawAnswer(int(line.split(" ")[1]), headers, body)

    async def is_closed(self) -> bool:
        """Tell whether the server closes within the time for an answer."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await self.reader.read(1) == b""
        except ConnectionError:
            return True


@dataclass(frozen=True, slots=True)
class Served:
    """An application that is served on a port of this machine."""

    port: int
    registry: CollectorRegistry

    def turned_away(self) -> dict[str, int]:
        """Return what never came to the application, by reason, without zeros."""
        name = "uptake_http_turned_away_total"
        return {
            sample.labels["reason"]: int(sample.value)
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == name and sample.value
        }

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        """Connect."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Wire(reader, writer)
        finally:
            writer.transport.abort()

    async def ask(self, *parts: bytes) -> RawAnswer:
        """Send bytes on a connection of their own; return the first answer."""
        async with self.wire() as wire, asyncio.TaskGroup() as group:
            saying = group.create_task(wire.say(*parts))
            answer = await wire.hear()
            saying.cancel()
            return answer


@asynccontextmanager
async def serving(
    app: ASGIApp, *, trusted_proxies: str | None = None, **limits: float
) -> AsyncIterator[Served]:
    """Serve an application while the block runs.

    Args:
        app: What is served.
        trusted_proxies: Whose word is taken on who asks.
        limits: Members of `HttpLimits` that are not as they are shipped.
    """
    known: Any = limits
    registry = new_registry()
    server = make_server(
        app,
        registry,
        host="127.0.0.1",
        port=0,
        trusted_proxies=trusted_proxies,
        limits=HttpLimits(**known),
    )

    async def has_started() -> bool:
        return server.started

    async with asyncio.TaskGroup() as group:
        group.create_task(serve(server))
        await eventually(has_started, what="the server listens")
        (socket,) = server.servers[0].sockets
        try:
            yield Served(socket.getsockname()[1], registry)
        finally:
            server.force_exit = True
            server.stop()


def request(
    method: str = "POST",
    path: str = "/",
    body: bytes = b"",
    *fields: str,
    length: int | None = None,
) -> bytes:
    """Write a request with its Content-Length.

    Args:
        method: What is asked.
        path: As it stands in the request line.
        body: What follows the head.
        fields: Header fields, without line ends.
        length: Said in place of the body's own.
    """
    size = len(body) if length is None else length
    lines = [f"{method} {path} HTTP/1.1", "host: x", f"content-length: {size}", *fields]
    return "\r\n".join((*lines, "", "")).encode() + body
