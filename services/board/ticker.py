"""What the board looks at by the clock: whether Postgres has what it reads."""

import asyncio
import logging
from typing import Final

from services.board.store import BoardStore, BusyError, NotMigratedError, TooSlowError
from shared.backoff import wait_out
from shared.errors import TransientError
from shared.http import Readiness

CHECK_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


async def watch_postgres(store: BoardStore, readiness: Readiness) -> None:
    """Connect, then say again and again whether the views can be read."""
    on_outage = readiness.for_part("postgres")
    await wait_out(
        "open_pool",
        store.open,
        # Connected is not ready: the views have not been looked at.
        on_outage=lambda reason: on_outage(reason or "connected"),
    )
    while True:
        try:
            await store.check()
        except (TransientError, NotMigratedError, TooSlowError) as error:
            on_outage(str(error))
        except BusyError:
            # Others are reading, so it can be read.
            on_outage(None)
        else:
            if "postgres" in readiness.waiting:
                _log.info("ready")
            on_outage(None)
        await asyncio.sleep(CHECK_SECONDS)
