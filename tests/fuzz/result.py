"""What a part of `make fuzz` came to."""

import time
from dataclasses import dataclass

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Result:
    """What one fuzzer did.

    Attributes:
        executions: Inputs tried.
        coverage: Places of our code that they came to; 0 where that is not known.
        findings: One text each: what it is, and the command that repeats it.
    """

    name: str
    executions: int
    coverage: int
    findings: tuple[str, ...]

    @override
    def __str__(self) -> str:
        """Show it in one line."""
        coverage = f", {self.coverage:,} places reached" if self.coverage else ""
        return (
            f"{self.name}: {self.executions:,} tried{coverage}, "
            f"{len(self.findings)} findings"
        )


def say(text: str) -> None:
    """Show progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)  # noqa: T201 -- long work shows progress
