"""Listens to agencies: who reports, who is silent, and what targets lack by it."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from services.alerting.door import Door
from services.alerting.store import SilenceStore
from shared.backoff import wait_out

DUTIES_MAX: Final = 500
LISTEN_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


class Listener:
    """Asks the store again and again; of several replicas one at a time listens."""

    def __init__(
        self,
        store: SilenceStore,
        *,
        on_outage: Callable[[str | None], None],
        on_change: Callable[[], None],
        door: Door | None = None,
    ) -> None:
        """Take what is needed.

        Args:
            store: Knows who owes what.
            on_outage: Told why it has to wait, and None once it need not.
            on_change: Called when targets have been marked for evaluation.
            door: Through which agencies send; None where that cannot be asked.
        """
        self._store = store
        self._on_outage = on_outage
        self._on_change = on_change
        self._door = door

    async def run(self) -> None:
        """Listen until cancelled; a crash leaves it to whoever is next."""
        async with AsyncExitStack() as opened:
            if self._door is not None:
                await opened.enter_async_context(self._door)
            while True:
                await self._listen()

    async def _listen(self) -> None:
        can_send = self._door is None or await self._door.is_open()
        duties = await wait_out(
            "listen",
            lambda: self._store.listen(DUTIES_MAX, can_send=can_send),
            on_outage=self._on_outage,
        )
        units = await wait_out(
            "work_out_gaps", self._store.work_out_gaps, on_outage=self._on_outage
        )
        if units:
            self._on_change()
            _log.info("silence_changed", extra={"units": units})
        if duties < DUTIES_MAX:
            # Silence is what nothing tells of; the clock is read again and again.
            await asyncio.sleep(LISTEN_SECONDS)
