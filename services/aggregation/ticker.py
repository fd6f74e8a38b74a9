"""Carries levels forward by the clock, one day's after the other.

Every replica does; a day that another one carried is none any more. What a crash cuts
off is carried by the next run, and reads add up a few days more until then.
"""

import asyncio
import logging

from services.aggregation.store.ledger import LedgerStore
from shared.backoff import wait_out
from shared.http import Readiness

_log = logging.getLogger(__name__)


async def carry_levels(
    ledger: LedgerStore, readiness: Readiness, *, interval_seconds: float
) -> None:
    """Carry forward whatever has settled, now and then, until cancelled."""
    on_outage = readiness.for_part("carry")
    while True:
        while day := await wait_out(
            "carry_forward", ledger.carry_forward, on_outage=on_outage
        ):
            _log.info("levels_carried", extra={"day": day.isoformat()})
        await asyncio.sleep(interval_seconds)
