"""Which loopback ports embedded servers take."""

import subprocess
import sys

import pytest

from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.ports import (
    PORT_FIRST,
    PORT_LAST,
    RESERVED_MAX,
    free_port,
    reserve,
)


def test_a_server_never_takes_a_port_that_others_are_about_to_listen_on() -> None:
    """However often it is chosen: here every even port is spoken for."""
    spoken_for = range(PORT_FIRST, PORT_LAST, 2)
    chosen = [free_port(besides=spoken_for) for _ in range(20)]
    assert all(port % 2 == 1 for port in chosen)


def test_no_port_at_all_is_said_and_not_searched_for_ever() -> None:
    """One line says between which ports nothing was free."""
    with pytest.raises(ServerStartError, match="no free port on"):
        free_port(besides=range(PORT_FIRST, PORT_LAST))


def reserve_elsewhere(port: int) -> bool:
    """Let another process try to keep a port for itself."""
    program = "import sys; from services.cli.embedded.ports import reserve; "
    program += f"sys.exit(not reserve({port}))"
    return subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_chosen_port_is_no_other_run_s_before_its_server_listens() -> None:
    """Two runs on a machine never wait for the same port; one that is gone has none."""
    port = free_port()
    assert not reserve_elsewhere(port)
    assert not reserve(port)
    for _ in range(RESERVED_MAX):
        free_port()
    assert reserve_elsewhere(port)
    assert reserve(port)
