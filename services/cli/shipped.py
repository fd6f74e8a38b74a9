"""Where the catalogue that ships with this package lies."""

from pathlib import Path
from typing import Final

import services
from shared.errors import FatalError

VIETNAM: Final = "vietnam"
CODE_ROOT: Final = Path(services.__file__).absolute().parents[1]


def shipped_catalogue(name: str = VIETNAM) -> Path:
    """Find a shipped catalogue, in a checkout or in an installed wheel.

    Raises:
        FatalError: This installation has none of that name.
    """
    inside_wheel = Path(__file__).absolute().parent / "catalogues" / name
    in_checkout = CODE_ROOT / "deploy" / "catalogue" / name
    for folder in (inside_wheel, in_checkout):
        if folder.is_dir():
            return folder
    raise FatalError(
        f"no catalogue {name!r} in this installation: looked in {inside_wheel} and "
        f"{in_checkout}"
    )
