"""Loopback ports."""

import secrets
import socket
from collections.abc import Container

from services.cli.embedded.errors import ServerStartError

LOOPBACK = "127.0.0.1"
# Below the range the kernel takes ports from for outgoing connections (32768 on
# Linux). In that range a client that retries while its server is down can connect to
# itself, and then holds the port the server wants back.
PORT_FIRST = 20_000
PORT_LAST = 32_000
ATTEMPTS = 200


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


def free_port(*, besides: Container[int] = ()) -> int:
    """Return a loopback port that nothing listens on.

    Args:
        besides: Ports that others are about to listen on.

    Raises:
        ServerStartError: None was found.
    """
    for _ in range(ATTEMPTS):
        port = PORT_FIRST + secrets.randbelow(PORT_LAST - PORT_FIRST)
        if port not in besides and is_free(port):
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
