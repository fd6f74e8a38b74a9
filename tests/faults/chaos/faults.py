"""How each fault is done, and taken back."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from services.cli.embedded.errors import ServerStartError
from tests.faults.chaos.disk import fill_again_and_again
from tests.faults.chaos.house import House
from tests.faults.chaos.plan import Fault, Kind

# Events may lie ten minutes ahead of ingest's clock; its day stays open.
CLOCK_SECONDS: Final = MappingProxyType(
    {Kind.CLOCK_AHEAD: 1_800.0, Kind.CLOCK_BACK: -480.0}
)
SLOW_BYTES_PER_SECOND: Final = 48 * 1024
GRACE: Final = ((signal.SIGTERM, 15.0),)
POSTGRES_STARTS_MAX: Final = 3

Doing = Callable[[House, Fault], Awaitable[str]]


async def commit_fault(house: House, fault: Fault) -> str:
    """Do a fault, wait for its duration and take it back.

    Returns:
        What is worth saying beside the figures; may be empty.
    """
    return await DOINGS[fault.kind](house, fault)


async def _kill(house: House, fault: Fault) -> str:
    """End a process or server as a crash would; it comes back later."""
    server = house.servers.get(fault.target)
    if server is not None:
        await server.kill()
        await asyncio.sleep(fault.duration_seconds)
        await server.restart()
        return ""
    await house.kill(fault.target)
    await asyncio.sleep(fault.duration_seconds)
    house.spawn(fault.target)
    return ""


async def _stop(house: House, fault: Fault) -> str:
    """Freeze a process; it wakes up into a world that has gone on."""
    child = house.stack.children[fault.target]
    child.send(signal.SIGSTOP)
    try:
        await asyncio.sleep(fault.duration_seconds)
    finally:
        child.send(signal.SIGCONT)
    return ""


async def _join(house: House, fault: Fault) -> str:
    """Let another replica join the group, and leave it in good order."""
    house.spawn(fault.target)
    await asyncio.sleep(fault.duration_seconds)
    house.away.add(fault.target)
    child = house.stack.children[fault.target]
    fallen = child.exit_status()
    assert fallen is None, house.stack.log_tail(fault.target)
    await child.stop(GRACE)
    status = child.exit_status()
    # With Kafka away it may still be saying goodbye when its time is over.
    assert status in (0, -signal.SIGKILL), house.stack.log_tail(fault.target)
    return "left in good order" if status == 0 else "left by SIGKILL after its grace"


async def _jump(house: House, fault: Fault) -> str:
    """Let a wall clock jump, and later jump back."""
    seconds = CLOCK_SECONDS[fault.kind]
    house.set_clock(fault.target, seconds)
    await asyncio.sleep(fault.duration_seconds)
    house.set_clock(fault.target, 0)
    return f"by {seconds:+,.0f} s"


async def _restart(house: House, fault: Fault) -> str:
    """Stop a server in good order; it comes back later."""
    server = house.servers[fault.target]
    await server.stop()
    await asyncio.sleep(fault.duration_seconds)
    await server.restart()
    return ""


async def _disturb(house: House, fault: Fault) -> str:
    """Cut, slow down or half close the way to a server."""
    proxy = house.proxies[fault.target]
    match fault.kind:
        case Kind.CUT:
            await proxy.cut()
        case Kind.SLOW:
            proxy.slow(SLOW_BYTES_PER_SECOND)
        case _:
            proxy.stall(requests=False)
    await asyncio.sleep(fault.duration_seconds)
    if fault.kind is Kind.LOSE_REPLIES:
        # What was done is done; nobody will hear of it.
        proxy.reset_connections()
    await proxy.restore()
    return ""


async def _fill_disk(house: House, fault: Fault) -> str:
    """Leave Postgres no room, then give it back and, if need be, start it again."""
    disk, server = house.disk, house.servers[fault.target]
    assert disk is not None, "a plan without a small disk has no such fault"
    try:
        taken = await fill_again_and_again(disk, fault.duration_seconds)
    finally:
        disk.free()
    said = f"{taken:,} bytes of ballast"
    for _ in range(POSTGRES_STARTS_MAX):
        if server.is_running and await server.probe() is None:
            return said
        # It panics where it cannot write its log, as it must; an operator starts it.
        said += ", started again"
        try:
            await server.restart()
        except ServerStartError:
            continue
    await server.restart()
    return said


DOINGS: Final[Mapping[Kind, Doing]] = {
    Kind.KILL: _kill,
    Kind.STOP: _stop,
    Kind.JOIN: _join,
    Kind.CLOCK_AHEAD: _jump,
    Kind.CLOCK_BACK: _jump,
    Kind.RESTART: _restart,
    Kind.CUT: _disturb,
    Kind.SLOW: _disturb,
    Kind.LOSE_REPLIES: _disturb,
    Kind.FULL_DISK: _fill_disk,
}
