"""A producer that is replaced when it can not go on; the process stays.

An idempotent producer whose batch expired while the broker was away has a gap in its
sequence, and the broker refuses everything that it sends from then on. Ids and
revisions make what is sent again harmless, so a new producer may simply take over.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from shared.errors import TransientError
from shared.kafka.broker import make_producer
from shared.kafka.refusal import find_refusal
from shared.settings import KafkaSettings

STOP_SECONDS_MAX: Final = 3.0
CONNECT_INTERVAL_SECONDS: Final = 0.5
Pending = list[asyncio.Future[Any]]
Submit = Callable[[AIOKafkaProducer, Pending], Awaitable[None]]
"""Sends, and puts the client's confirmations into the list."""

_log = logging.getLogger(__name__)


class SteadyProducer:
    """Confirms what is submitted, or says that it is unknown."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        linger_ms: int,
        make: Callable[..., AIOKafkaProducer] = make_producer,
    ) -> None:
        """Describe it; nothing is connected.

        Args:
            settings: How to reach Kafka.
            linger_ms: How long a record waits for company before it is sent.
            make: Makes a client like `make_producer`; a test has one of its own.
        """
        self._settings = settings
        self._linger_ms = linger_ms
        self._make = make
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._connected_at = -CONNECT_INTERVAL_SECONDS

    async def start(self) -> None:
        """Connect.

        Raises:
            TransientError: Kafka does not answer for now.
        """
        await self._connected()

    async def stop(self) -> None:
        """Wait for what is under way, then disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    async def confirm(self, submit: Submit, *, timeout_seconds: float) -> Pending:
        """Submit records and wait until each is on all in-sync replicas.

        Args:
            submit: Sends them, in order.
            timeout_seconds: Longest wait.

        Returns:
            The confirmations, done.

        Raises:
            TransientError: Not all are confirmed; whether they are in the log is
                unknown.
        """
        pending: Pending = []
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(timeout_seconds):
                producer = await self._connected()
                await submit(producer, pending)
                if pending:
                    # Not awaited one by one: a time-out must leave the client's own
                    # futures alone.
                    await asyncio.wait(pending)
                for confirmation in pending:
                    confirmation.result()
        except (KafkaError, OSError, TimeoutError) as error:
            for confirmation in pending:
                confirmation.add_done_callback(_forget)
            if isinstance(error, KafkaError) and not error.retriable:
                await self._discard(producer, error)
            raise TransientError(
                f"kafka did not confirm: {type(error).__name__}"
            ) from error
        return pending

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                # A producer that is refused as soon as it is made, e.g. for want of a
                # permission, must not become a flood of connections.
                pause = self._connected_at + CONNECT_INTERVAL_SECONDS - time.monotonic()
                await asyncio.sleep(max(pause, 0.0))
                self._connected_at = time.monotonic()
                self._producer = await self._connect()
            return self._producer

    async def _connect(self) -> AIOKafkaProducer:
        fresh = self._make(self._settings, linger_ms=self._linger_ms)
        try:
            await fresh.start()
        except (KafkaError, OSError) as error:
            await _stop(fresh)
            refusal = await find_refusal(self._settings)
            raise TransientError(
                refusal or f"kafka is away: {type(error).__name__}: {error}"
            ) from error
        except BaseException:
            await _stop(fresh)
            raise
        return fresh

    async def _discard(
        self, broken: AIOKafkaProducer | None, error: KafkaError
    ) -> None:
        """Have the next caller connect anew; only the first to notice does it."""
        if broken is None or self._producer is not broken:
            return
        self._producer = None
        _log.warning("producer_replaced", extra={"reason": type(error).__name__})
        await _stop(broken)


@asynccontextmanager
async def stopped_at_last(producer: SteadyProducer) -> AsyncIterator[None]:
    """Stop a producer when the block ends, however it ends."""
    try:
        yield
    finally:
        await producer.stop()


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop a client, bounded: one whose broker is away would wait for it.

    What it could not deliver by then it must not deliver later: it would hold memory
    and a connection for as long as the broker is away.
    """
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        _log.info("producer_left", extra={"reason": type(error).__name__})
        await _cut_off(producer)


async def _cut_off(producer: AIOKafkaProducer) -> None:
    """End a client's own tasks, which its `stop` leaves running when interrupted.

    Then give up what it holds: its `stop` waits for that too, in a task of its own.
    """
    await producer.client.close()
    sender = producer._sender.sender_task  # noqa: SLF001 -- there is no other way
    if sender is not None and not sender.done():
        sender.cancel()
        await asyncio.wait([sender], timeout=STOP_SECONDS_MAX)
    producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001 -- as above


def _forget(confirmation: asyncio.Future[Any]) -> None:
    """Take note of a late answer that nobody waits for any more."""
    if not confirmation.cancelled():
        confirmation.exception()
