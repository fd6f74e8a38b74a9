"""Senders that cost as little as can be: what is measured is whom they send to.

A general client takes longer to send a small request than the door takes to answer it.
These write requests that were made before, one after the other on each of their
connections, and parse answers with the parser that the server itself uses. They run in
a process of their own: `python -m tests.bench.posting PORT CONNECTIONS < requests`.
"""

import asyncio
import json
import pickle
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final, cast

import httptools
import uvloop
from typing_extensions import override

ACCEPTED: Final = 202
SECONDS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of the requests.

    Attributes:
        seconds: From the first to the last answer.
        waits: How long each was answered after, in seconds, in the order answered.
    """

    seconds: float
    waits: list[float]


class _Sender(asyncio.Protocol):
    """One connection; sends the next request when the last one is answered."""

    def __init__(self, requests: Iterator[bytes], waits: list[float]) -> None:
        self._requests = requests
        self._waits = waits
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at = 0.0
        self.is_done = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    @override
    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Take note of an answer."""
        self._waits.append(time.monotonic() - self._sent_at)
        status = self._parser.get_status_code()
        if status != ACCEPTED:
            self._end(AssertionError(f"answered {status}"))
        else:
            self._send()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or AssertionError("the connection was closed"))

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._end(None)
            return
        self._sent_at = time.monotonic()
        self._transport.write(request)

    def _end(self, error: Exception | None) -> None:
        if self.is_done.done():
            return
        if error is None:
            self.is_done.set_result(None)
        else:
            self.is_done.set_exception(error)
        self._transport.close()


async def post_all(port: int, requests: list[bytes], connections: int) -> Posted:
    """Send requests over some connections; each must be answered with 202."""
    waits: list[float] = []
    left = iter(requests)
    began = time.monotonic()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(SECONDS_MAX):
        senders = [
            (
                await loop.create_connection(
                    lambda: _Sender(left, waits), "127.0.0.1", port
                )
            )[1]
            for _ in range(connections)
        ]
        for sender in senders:
            await sender.is_done
    assert len(waits) == len(requests)
    return Posted(time.monotonic() - began, waits)


def main() -> None:
    """Read requests, send them, write what became of them."""
    port, connections = (int(word) for word in sys.argv[1:])
    requests: list[bytes] = pickle.load(sys.stdin.buffer)  # noqa: S301 -- our own
    posted = uvloop.run(post_all(port, requests, connections))
    json.dump(asdict(posted), sys.stdout)


if __name__ == "__main__":
    main()
