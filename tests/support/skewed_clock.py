"""Runs a module whose wall clock can jump while it runs.

    CHAOS_CLOCK_PATH=offset python -m tests.support.skewed_clock services.ingest

The file holds the seconds that the clock is ahead, and may change at any time. Only
that process is affected, and only its wall clock: durations are measured by another,
which does not jump on real machines either.
"""

import os
import runpy
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from shared.clock import SystemClock

VARIABLE = "CHAOS_CLOCK_PATH"


def skew_seconds(path: Path) -> float:
    """Read how far the clock is ahead; a missing file is no skew."""
    try:
        return float(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0.0


def set_skew(path: Path, seconds: float) -> None:
    """Let a clock jump; the file is never seen half written."""
    partial = path.with_suffix(".partial")
    partial.write_text(str(seconds), encoding="ascii")
    partial.replace(path)


def install(path: Path) -> None:
    """Skew what the house and its libraries take for the wall clock."""
    true_now = SystemClock.now
    true_time = time.time  # noqa: TID251 -- the clock that is to be skewed

    def now(clock: SystemClock) -> datetime:
        return true_now(clock) + timedelta(seconds=skew_seconds(path))

    SystemClock.now = now  # type: ignore[assignment, method-assign] # as above
    time.time = lambda: true_time() + skew_seconds(path)  # noqa: TID251 -- as above


def main() -> None:
    """Run the module that is named, as `python -m` would."""
    install(Path(os.environ[VARIABLE]))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
