"""Runs a service whose polls are quicker, as its clock is.

    python -m tests.support.hurried services.alerting

Where a test moves the service's clock by a day at a time, the half seconds between two
polls would be all that takes time. What is done at each poll is the service's own.
"""

import importlib
import runpy
import sys
from collections.abc import Mapping
from typing import Final

PAUSES_SECONDS: Final[Mapping[str, Mapping[str, float]]] = {
    "services.alerting.ticker": {"POLL_SECONDS": 0.02},
    "services.alerting.listener": {"LISTEN_SECONDS": 0.03},
    "services.alerting.relay.notices": {"POLL_SECONDS": 0.05},
    "services.alerting.relay.alertmanager": {"POLL_SECONDS": 0.03},
    "shared.backoff": {"FIRST_SECONDS": 0.02, "LONGEST_SECONDS": 0.1},
}


def hurry() -> None:
    """Shorten the pauses between polls, and those of back-offs.

    Raises:
        KeyError: The code has no such pause any more.
    """
    for name, pauses in PAUSES_SECONDS.items():
        module = vars(importlib.import_module(name))
        for pause, seconds in pauses.items():
            # Whoever renames it is to hear of it.
            assert module[pause] > seconds, f"{name}.{pause} is quicker already"
            module[pause] = seconds


def main() -> None:
    """Run the module that is named, as `python -m` would."""
    hurry()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
