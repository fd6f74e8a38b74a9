"""Waiting an outage out: bounded, jittered, visible."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from shared.errors import TransientError

FIRST_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)
ResultT = TypeVar("ResultT")


def delays_seconds(attempt: int) -> float:
    """Return how long to wait before try `attempt` (from 1), with full jitter."""
    ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(attempt, 16))
    # Jitter spreads retries; nothing secret depends on it.
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311


async def wait_out(
    what: str,
    action: Callable[[], Awaitable[ResultT]],
    *,
    on_outage: Callable[[str | None], None],
) -> ResultT:
    """Repeat an action until no outage stops it.

    Tries without end, because the compare-and-set of the progress row makes a late
    retry harmless; the wait between two tries is bounded.

    Args:
        what: Name of the action for the log line, e.g. `apply_batch`.
        action: Made anew for each try; raises `TransientError` during an outage.
        on_outage: Told the reason at each failure and None once it is over, be it by
            another error.
    """
    attempt = 0
    try:
        while True:
            try:
                return await action()
            except TransientError as error:
                attempt += 1
                delay = delays_seconds(attempt)
                on_outage(str(error))
                _log.warning(
                    "waiting_for_outage",
                    extra={
                        "action": what,
                        "attempt": attempt,
                        "wait_seconds": round(delay, 3),
                        "reason": str(error),
                    },
                )
                # Bounded and spread by `delays_seconds`; an outage is waited out.
                await asyncio.sleep(delay)
    finally:
        # Also where it ends with another error, such as a partition that moved on
        # meanwhile: the server answered, and nobody else would take the reason back.
        if attempt:
            on_outage(None)
