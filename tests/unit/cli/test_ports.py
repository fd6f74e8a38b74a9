"""Which loopback ports embedded servers take."""

import pytest

from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.ports import PORT_FIRST, PORT_LAST, free_port


def test_a_server_never_takes_a_port_that_others_are_about_to_listen_on() -> None:
    """However often it is chosen: here every even port is spoken for."""
    spoken_for = range(PORT_FIRST, PORT_LAST, 2)
    chosen = [free_port(besides=spoken_for) for _ in range(20)]
    assert all(port % 2 == 1 for port in chosen)


def test_no_port_at_all_is_said_and_not_searched_for_ever() -> None:
    """One line says between which ports nothing was free."""
    with pytest.raises(ServerStartError, match="no free port on"):
        free_port(besides=range(PORT_FIRST, PORT_LAST))
