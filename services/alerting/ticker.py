"""Evaluates targets: at once when a total moved, and on the clock."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from services.alerting.store import EvaluationStore
from shared.alerting_metrics import AlertingMetrics
from shared.backoff import wait_out

TARGETS_MAX: Final = 500
# While Postgres reads and writes for one look, this process judges for the other.
LOOKS_AT_ONCE: Final = 2
POLL_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)


class Ticker:
    """Asks the store for what is due, again and again.

    When a target is due stands in Postgres, so that any number of replicas share the
    work, and a change that another replica copied is seen here too.
    """

    def __init__(
        self,
        store: EvaluationStore,
        metrics: AlertingMetrics,
        *,
        on_outage: Callable[[str | None], None],
    ) -> None:
        """Take what is needed.

        Args:
            store: Does the evaluations.
            metrics: Told how long they take.
            on_outage: Told why they have to wait, and None once they need not.
        """
        self._store = store
        self._metrics = metrics
        self._on_outage = on_outage
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look now instead of at the next poll."""
        self._woken.set()

    async def run(self) -> None:
        """Evaluate until cancelled; a crash leaves what is due to whoever is next."""
        while True:
            self._woken.clear()
            if await self._evaluate() == TARGETS_MAX:
                async with asyncio.TaskGroup() as tasks:
                    for _ in range(LOOKS_AT_ONCE):
                        tasks.create_task(self._evaluate_all())
                continue
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                # The poll's own end: time to look again.
                continue

    async def _evaluate_all(self) -> None:
        """Go on until little is left; what one look has locked the other leaves."""
        while await self._evaluate() == TARGETS_MAX:
            pass

    async def _evaluate(self) -> int:
        started = time.monotonic()
        count = await wait_out(
            "evaluate_targets",
            lambda: self._store.evaluate_due(TARGETS_MAX),
            on_outage=self._on_outage,
        )
        if count:
            duration = time.monotonic() - started
            self._metrics.evaluation_duration.observe(duration)
            _log.debug(
                "targets_evaluated",
                extra={"targets": count, "duration_seconds": round(duration, 4)},
            )
        return count
