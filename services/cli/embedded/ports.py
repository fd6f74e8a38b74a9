"""Loopback ports."""

import os
import secrets
import socket
import sys
from collections import deque
from collections.abc import Container
from typing import Final

from services.cli.embedded.errors import ServerStartError

LOOPBACK = "127.0.0.1"
# Below the range the kernel takes ports from for outgoing connections (32768 on
# Linux). In that range a client that retries while its server is down can connect to
# itself, and then holds the port the server wants back.
PORT_FIRST = 20_000
PORT_LAST = 32_000
ATTEMPTS = 200
# So many choices later, a server listens on its port or never will.
RESERVED_MAX = 64
_reserved: Final[deque[int]] = deque()


def is_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a server that has ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def reserve(port: int) -> bool:
    """Keep a port from others on this machine who choose one here; say whether we do.

    Between the choice of a port and a server that listens there lie seconds, in which
    a run beside us would find it free. An abstract socket's name is had by one at a
    time, holds for the same network as the port, and goes with its process, however
    that ends. Elsewhere than on Linux nothing is kept.
    """
    if sys.platform != "linux":
        return True
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0uptake-port-{port}")
    except OSError:
        name.close()
        return False
    _reserved.append(name.detach())
    if len(_reserved) > RESERVED_MAX:
        os.close(_reserved.popleft())
    return True


def free_port(*, besides: Container[int] = ()) -> int:
    """Return a loopback port that nothing listens on, and keep it from others.

    Args:
        besides: Ports that others are about to listen on.

    Raises:
        ServerStartError: None was found.
    """
    for _ in range(ATTEMPTS):
        port = PORT_FIRST + secrets.randbelow(PORT_LAST - PORT_FIRST)
        if port not in besides and reserve(port) and is_free(port):
            return port
    raise ServerStartError(
        f"no free port on {LOOPBACK} between {PORT_FIRST} and {PORT_LAST}: "
        "stop programs that listen there"
    )


def require_free(port: int, server: str) -> None:
    """Refuse a port that is in use.

    Raises:
        ServerStartError: It is.
    """
    if not is_free(port):
        raise ServerStartError(
            f"{server} cannot start: port {port} on {LOOPBACK} is in use; "
            "stop the program that uses it, or give another port"
        )
