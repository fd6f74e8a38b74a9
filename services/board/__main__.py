"""Start the board: `python -m services.board`."""

import asyncio
import sys

from services.board.app import Opening, run
from services.board.settings import BoardSettings
from shared.errors import CatalogueError
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import settings_from_command_line

ABOUT = "uptake board: totals, series, targets, alerts and receipts over HTTP."
BAD_SETTINGS = 2


def main() -> int:
    """Run until told to stop.

    Returns:
        Exit status: 0 graceful, 1 fatal error or bug, 2 bad settings, catalogue or
        file of readers.
    """
    settings = settings_from_command_line(BoardSettings, ABOUT)
    configure_logging("board", settings.log_level)
    try:
        opening = Opening(settings)
    except CatalogueError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETTINGS

    async def serve_until(stop: asyncio.Event) -> None:
        await run(settings, opening, stop)

    return run_service(serve_until)


if __name__ == "__main__":
    sys.exit(main())
