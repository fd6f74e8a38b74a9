"""Ending a long command: Ctrl-C, SIGTERM, a closed terminal, a parent that died."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import uvloop

EXIT_INTERRUPTED: Final = 130
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WITH_PARENT: Final = "UPTAKE_STOP_WITH_PARENT"


class _StopRequestedError(Exception):
    """A signal asked us to end."""


def stop_with_parent(environment: Mapping[str, str]) -> None:
    """Have the kernel send us SIGTERM when our parent ends, where that is wanted.

    `make` killed by SIGKILL tells its children nothing. Linux only; elsewhere the
    command ends by Ctrl-C.
    """
    if environment.get(WITH_PARENT) != "1" or not sys.platform.startswith("linux"):
        return
    import ctypes  # noqa: PLC0415 -- needed in this case only

    from services.cli.embedded.launch import die_with  # noqa: PLC0415 -- the same

    libc = ctypes.CDLL(None, use_errno=True)
    die_with(os.getppid(), signal.SIGTERM, libc)


def run_until_stopped(body: Callable[[], Awaitable[None]]) -> bool:
    """Run a body to its end, or until a signal cancels it.

    A signal cancels the body once; while it cleans up, further signals do nothing,
    so that an impatient second Ctrl-C leaves nothing running.

    Returns:
        True when the body came to its end, False when a signal ended it.
    """
    return uvloop.run(_until_stopped(body))


async def _until_stopped(body: Callable[[], Awaitable[None]]) -> bool:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)
    is_whole = True
    try:
        async with asyncio.TaskGroup() as tasks:
            waiter = tasks.create_task(_raise_when(stop))
            await body()
            waiter.cancel()
    except* _StopRequestedError:
        is_whole = False
    return is_whole


async def _raise_when(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _StopRequestedError
