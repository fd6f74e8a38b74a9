"""A producer that is replaced when it can not go on; the process stays.

An idempotent producer whose batch expired while the broker was away has a gap in its
sequence, and the broker refuses everything that it sends from then on. Ids and
revisions make what is sent again harmless, so a new producer may simply take over.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.errors import TransientError
from shared.kafka.broker import make_producer, outages_as_transient
from shared.settings import KafkaSettings

STOP_SECONDS_MAX: Final = 3.0
Pending = list[asyncio.Future[Any]]
Submit = Callable[[AIOKafkaProducer, Pending], Awaitable[None]]
"""Sends, and puts the client's confirmations into the list."""

_log = logging.getLogger(__name__)


class SteadyProducer:
    """Confirms what is submitted, or says that it is unknown."""

    def __init__(self, settings: KafkaSettings, *, linger_ms: int) -> None:
        self._settings = settings
        self._linger_ms = linger_ms
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

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
                fresh = make_producer(self._settings, linger_ms=self._linger_ms)
                try:
                    async with outages_as_transient():
                        await fresh.start()
                except BaseException:
                    await fresh.stop()
                    raise
                self._producer = fresh
            return self._producer

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
    """Stop a client, bounded: one whose broker is away would wait for it."""
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        _log.info("producer_left", extra={"reason": type(error).__name__})


def _forget(confirmation: asyncio.Future[Any]) -> None:
    """Take note of a late answer that nobody waits for any more."""
    if not confirmation.cancelled():
        confirmation.exception()
