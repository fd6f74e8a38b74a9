"""Lets commands find the stack that runs below the current folder.

So that `uptake totals`, typed beside a running demo, needs no settings. Only where
none is given: whoever names a server means that one.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

DATA_ROOT: Final = Path(".uptake")
ENVIRONMENT_FILE: Final = "environment.json"
# One of these set means that the user speaks of another system.
DECISIVE: Final = (
    "UPTAKE_KAFKA_BOOTSTRAP_SERVERS",
    "UPTAKE_POSTGRES_DSN",
    "UPTAKE_URL",
    "UPTAKE_BOARD_URL",
)


def local_environment(
    environment: Mapping[str, str], root: Path = DATA_ROOT
) -> dict[str, str]:
    """Return the settings of the one stack that runs below a folder.

    Args:
        environment: What is set already; it wins.
        root: Where stacks keep their folders.

    Returns:
        Empty when a system is named already, or when not exactly one stack runs.
    """
    if any(name in environment for name in DECISIVE):
        return {}
    found = [
        file.parent
        for file in sorted(root.glob(f"*/{ENVIRONMENT_FILE}"))
        if _is_running(file.parent)
    ]
    if len(found) != 1:
        return {}
    try:
        text = (found[0] / ENVIRONMENT_FILE).read_text(encoding="utf-8")
        settings = json.loads(text)
    except (OSError, ValueError):
        # Another user's, or just going away: then there is none for us.
        return {}
    return {
        name: value
        for name, value in settings.items()
        if name not in environment and isinstance(value, str)
    }


def _is_running(folder: Path) -> bool:
    """Say whether a process holds the folder: the lock dies with its holder."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
