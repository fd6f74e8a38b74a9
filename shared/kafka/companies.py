"""Records of several callers that are sent together, and confirmed to each.

To send a record by itself costs ten times what it costs in company: a request to the
broker, its answer, a time-out. So while the records of one key are on their way, those
that come wait, and go together as soon as the way is free.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.errors import TransientError

LINGER_SECONDS: Final = 0.002
"""How long the first record waits for company when nothing is on its way."""
COMPANY_BYTES_MAX: Final = 256 * 1024

Send = Callable[[str, Sequence[bytes], float], Awaitable[None]]
"""Sends records of a key and returns when they are confirmed, or raises
`TransientError` after so many seconds."""


@dataclass(slots=True, eq=False)
class _Company:
    """Records that will go together, and who waits for them beside the first caller."""

    values: list[bytes]
    size_bytes: int
    waiters: list[asyncio.Future[None]] = field(default_factory=list)

    def confirm(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    def fail(self, reason: str) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(TransientError(reason))


class Companies:
    """Gathers records by key; one company of a key is on its way at a time.

    The first caller of a company sends it, within its own task, so nothing runs on
    when its callers are gone. What waits is bounded by whoever calls.
    """

    def __init__(self, send: Send, *, timeout_seconds: float) -> None:
        """Describe it.

        Args:
            send: Sends a company.
            timeout_seconds: Longest wait of its first caller, and so of all.
        """
        self._send = send
        self._timeout_seconds = timeout_seconds
        self._gathering: dict[str, _Company] = {}
        # As many as there are agencies in the catalogue.
        self._ways: dict[str, asyncio.Lock] = {}

    async def send(self, key: str, values: Sequence[bytes]) -> None:
        """Send records in order, in company; return when they are confirmed.

        Raises:
            TransientError: They are not; whether they were sent is unknown.
        """
        size_bytes = sum(map(len, values))
        company = self._gathering.get(key)
        if company is None or company.size_bytes + size_bytes > COMPANY_BYTES_MAX:
            company = _Company(list(values), size_bytes)
            self._gathering[key] = company
            await self._send_company(key, company)
            return
        company.values += values
        company.size_bytes += size_bytes
        # One for each: a caller that is given up gives up its own only.
        waiter = asyncio.get_running_loop().create_future()
        company.waiters.append(waiter)
        await waiter

    async def _send_company(self, key: str, company: _Company) -> None:
        try:
            until = asyncio.get_running_loop().time() + self._timeout_seconds
            await self._send_in_turn(key, company, until)
        except TransientError as error:
            company.fail(str(error))
            raise
        except BaseException:
            # Given up, or a bug. The others are told what is true in any case.
            company.fail("kafka did not confirm: the sending was interrupted")
            raise
        finally:
            self._close(key, company)
        company.confirm()

    async def _send_in_turn(self, key: str, company: _Company, until: float) -> None:
        way = self._ways.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout_at(until):
                if not way.locked():
                    # So that those who come in the same moment go along.
                    await asyncio.sleep(LINGER_SECONDS)
                await way.acquire()
        except TimeoutError:
            raise TransientError(
                "kafka has not confirmed what went before; nothing was sent"
            ) from None
        try:
            self._close(key, company)
            left = until - asyncio.get_running_loop().time()
            await self._send(key, company.values, left)
        finally:
            way.release()

    def _close(self, key: str, company: _Company) -> None:
        """Let nobody join any more."""
        if self._gathering.get(key) is company:
            del self._gathering[key]
