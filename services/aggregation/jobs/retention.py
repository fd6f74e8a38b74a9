"""Dropping rows that the ledger may forget, in the background (ADR 0015).

A crash anywhere repeats nothing: a step is one transaction, and the next round begins
with the oldest row again. Several processes may run it; one at a time drops.
"""

import asyncio
import logging
import time
from functools import partial
from typing import Final

from services.aggregation.store.retention import BEGINNING, RetentionStore
from shared.backoff import wait_out
from shared.http import Readiness
from shared.metrics import AggregationMetrics

REST_PER_WORK: Final = 9.0
"""Seconds of rest for each second of dropping, so that counting hardly notices."""

_log = logging.getLogger(__name__)


async def drop_old_rows(
    store: RetentionStore,
    metrics: AggregationMetrics,
    readiness: Readiness,
    *,
    interval_seconds: float,
) -> None:
    """Drop what may be forgotten, round after round, until cancelled.

    Args:
        store: Of the generation that serves.
        metrics: Told how many rows went and how old the oldest is.
        readiness: Told about outages.
        interval_seconds: From the end of a round to the next.
    """
    on_outage = readiness.for_part("retention")
    while True:
        dropped, looked_up_to = 0, BEGINNING
        while True:
            began = time.monotonic()
            step = await wait_out(
                "drop_old_rows",
                partial(store.drop_step, looked_up_to),
                on_outage=on_outage,
            )
            if step is None:
                break
            metrics.ledger_rows_dropped.inc(step.dropped)
            dropped, looked_up_to = dropped + step.dropped, step.looked_up_to
            # Counting goes first: dropping takes a tenth of the time at most.
            await asyncio.sleep((time.monotonic() - began) * REST_PER_WORK)
        if dropped:
            _log.info("old_rows_dropped", extra={"rows": dropped})
        oldest = await wait_out(
            "read_oldest_row", store.oldest_row, on_outage=on_outage
        )
        metrics.ledger_oldest_row.set(oldest.timestamp() if oldest else 0)
        # New rows grow old by the log's time, a few at a time; nothing calls for haste.
        await asyncio.sleep(interval_seconds)
