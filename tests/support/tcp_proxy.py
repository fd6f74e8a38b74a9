"""A TCP proxy on loopback that can fail in the ways networks do."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from services.cli.embedded.ports import LOOPBACK, free_port

CHUNK_BYTES = 65_536
SLOW_STEPS_PER_SECOND = 20


class TcpProxy:
    """Stands between a client and a server that listens on loopback.

    A broker behind it must advertise the proxy's port, or clients go round it.
    """

    def __init__(self, target_port: int, *, port: int | None = None) -> None:
        """Describe the proxy; it listens once started.

        Args:
            target_port: The server's port.
            port: The proxy's own; a free one when None.
        """
        self.target_port = target_port
        self.port = free_port() if port is None else port
        self.connections_total = 0
        self.request_bytes_total = 0
        self._bytes_per_second = 0
        self._delay_seconds = 0.0
        self._requests_pass = asyncio.Event()
        self._replies_pass = asyncio.Event()
        self._requests_pass.set()
        self._replies_pass.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def connection_count(self) -> int:
        """How many connections of clients are open."""
        return len(self._writers) // 2

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self.cut()

    async def cut(self) -> None:
        """Reset every connection and refuse new ones, until `restore`."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.reset_connections()
        if server is not None:
            await server.wait_closed()
        # One that was being accepted while the port closed.
        self.reset_connections()

    def reset_connections(self) -> None:
        """Reset every connection; new ones are served."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def restore(self) -> None:
        """Let everything through again, at full speed."""
        self._bytes_per_second = 0
        self._delay_seconds = 0.0
        self._requests_pass.set()
        self._replies_pass.set()
        if self._server is None:
            await self.start()

    def stall(self, *, requests: bool = True, replies: bool = True) -> None:
        """Hold bytes back on open connections, until `restore`.

        With `requests=False` the server gets and does what it is asked, and the
        client never hears of it: the lost acknowledgement.
        """
        if requests:
            self._requests_pass.clear()
        if replies:
            self._replies_pass.clear()

    def slow(self, bytes_per_second: int) -> None:
        """Limit each direction of each connection, until `restore`."""
        self._bytes_per_second = bytes_per_second

    def delay(self, seconds: float) -> None:
        """Add a wait before each piece that passes, until `restore`."""
        self._delay_seconds = seconds

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Join one client to the server until either side ends."""
        self.connections_total += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(
                LOOPBACK, self.target_port
            )
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer, self._requests_pass))
                group.create_task(self._pump(far_reader, writer, self._replies_pass))
        finally:
            self._writers -= pair
            for each in pair:
                each.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        may_pass: asyncio.Event,
    ) -> None:
        """Carry one direction to its end, then close both."""
        with contextlib.suppress(OSError):
            while data := await reader.read(self._chunk_bytes()):
                await may_pass.wait()
                await asyncio.sleep(self._wait_seconds(len(data)))
                writer.write(data)
                if may_pass is self._requests_pass:
                    self.request_bytes_total += len(data)
                await writer.drain()
        # Kafka and PostgreSQL never speak on after one side has ended.
        writer.close()

    def _chunk_bytes(self) -> int:
        """Return how much to take at once, small when slow."""
        if self._bytes_per_second:
            return max(1, self._bytes_per_second // SLOW_STEPS_PER_SECOND)
        return CHUNK_BYTES

    def _wait_seconds(self, count: int) -> float:
        """Return how long a piece of `count` bytes is held back."""
        pace = count / self._bytes_per_second if self._bytes_per_second else 0.0
        return pace + self._delay_seconds

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()
