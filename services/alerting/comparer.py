"""Holds what agencies claim against what was counted, as claims and counts change."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from services.alerting.store import ComparisonStore
from shared.backoff import wait_out

PAIRS_MAX: Final = 200
COMPARE_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


class Comparer:
    """Asks the store again and again; replicas share what is due."""

    def __init__(
        self, store: ComparisonStore, *, on_outage: Callable[[str | None], None]
    ) -> None:
        """Take what is needed.

        Args:
            store: Knows what is claimed and what was counted.
            on_outage: Told why it has to wait, and None once it need not.
        """
        self._store = store
        self._on_outage = on_outage

    async def run(self) -> None:
        """Compare until cancelled; a crash leaves it to whoever is next."""
        while True:
            pairs = await wait_out(
                "compare_claims",
                lambda: self._store.compare_due(PAIRS_MAX),
                on_outage=self._on_outage,
            )
            if pairs:
                _log.debug("claims_compared", extra={"pairs": pairs})
            if pairs < PAIRS_MAX:
                # Nothing tells that a claim is due; the table is asked.
                await asyncio.sleep(COMPARE_SECONDS)
