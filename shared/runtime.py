"""Running a service: signals, exit status, one clear line at a fatal error."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable

import uvloop

from shared.errors import FatalError

_log = logging.getLogger(__name__)


def run_service(main: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Run a service until SIGTERM or SIGINT, then let it stop gracefully.

    Args:
        main: Given an event that is set when the service is to stop.

    Returns:
        Exit status: 0 after a graceful stop, 1 after a fatal error or a bug.
    """

    async def guarded() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        return await _exit_status(main, stop)

    return uvloop.run(guarded())


async def _exit_status(
    main: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event
) -> int:
    status = 0
    try:
        await main(stop)
    except* FatalError as group:
        for error in _leaves(group):
            _log.critical("stopped", extra={"reason": str(error)})
            sys.stderr.write(f"{error}\n")
        status = 1
    except* Exception:  # noqa: BLE001 -- the outermost frame; it ends the process
        # A bug: the traceback is for us, the status for whoever restarts us.
        _log.critical("crashed", exc_info=True)
        status = 1
    return status


def _leaves(group: BaseExceptionGroup[FatalError]) -> list[FatalError]:
    found: list[FatalError] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            found.extend(_leaves(error))
        else:
            found.append(error)
    return found
