"""A fuzzer as a child process whose words are kept in a file."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
# Both fuzzers end by themselves, but the last input may take its time.
GRACE_SECONDS: Final = 120.0
_KILLED: Final = -9


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended; a negative status is a signal."""

    status: int
    said: str


def run(command: Sequence[str | Path], log: Path, *, seconds: float) -> Ended:
    """Run a fuzzer from the project's root to its end, and return what it said.

    One that does not end by itself is killed, which its status tells.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        try:
            status = subprocess.run(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                timeout=seconds + GRACE_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            status = _KILLED
            file.write(
                f"\nkilled: no end after {seconds + GRACE_SECONDS:.0f} s; an input "
                "hangs, or the machine is too busy\n".encode()
            )
    return Ended(status, log.read_text(encoding="utf-8", errors="replace"))
