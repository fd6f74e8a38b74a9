"""`python -m tests.support.unreadable_record SERVERS TOPIC`: good, unreadable, good.

The value of the two good records comes on standard input, a line each; all three lie
in one batch. The client library's own writer is left aside for its Python form, which
does not insist on headers that are texts.
"""

import asyncio
import sys

from aiokafka import AIOKafkaProducer
from typing_extensions import override


class NotUtf8(str):
    """A text that is written as bytes that are no text."""

    __slots__ = ()

    @override
    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Write what no UTF-8 reader reads."""
        return b"\xff\xfe"


async def write(servers: str, topic: str, before: bytes, after: bytes) -> None:
    """Write the three records, and wait until the broker has confirmed."""
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, acks="all", enable_idempotence=False
    )
    await producer.start()
    try:
        batch = producer.create_batch()
        for value, headers in (
            (before, []),
            (b"{}", [(NotUtf8("xx"), b"")]),
            (after, []),
        ):
            assert batch.append(key=None, value=value, timestamp=None, headers=headers)
        await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await producer.stop()


if __name__ == "__main__":
    first, second = sys.stdin.buffer.read().splitlines()
    asyncio.run(write(sys.argv[1], sys.argv[2], first, second))
