"""Whose silence keeps a target from being judged, as `uptake targets` tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.cli.reading import Snapshot
from services.cli.render import instant, ratio
from shared.postgres.queries import load_queries

_SQL: Final = load_queries("services.cli", "sql/targets.sql")
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """One row of `reporting.target_silence`."""

    agency: str
    share_bp: int
    is_required: bool
    voice: str
    voice_since: datetime
    reported_at: datetime | None
    cadence: timedelta | None


async def read_silences(snapshot: Snapshot, target: str) -> tuple[SilenceRow, ...]:
    """Read who is not heard from, the greatest share first."""
    rows = await snapshot.fetch(_SQL["read_silences"], target)
    return tuple(SilenceRow(**row) for row in rows)


def describe_silences(rows: Sequence[SilenceRow]) -> list[str]:
    """Tell of each agency when it last reported, what it owes and what it brought."""
    lines = []
    for number, row in enumerate(rows):
        head = "silence" if number == 0 else ""
        last = (
            "never reported"
            if row.reported_at is None
            else f"last reported {instant(row.reported_at)}"
        )
        owed = "" if row.cadence is None else f", due every {row.cadence // _HOUR} h"
        # Who never reported and is not late yet is no less heard than others.
        voice = row.voice if row.voice != "heard" else "expected"
        lines.append(f"  {head:<10} {row.agency} {voice}: {last}{owed}")
        brought = f"brought {ratio(row.share_bp)} of the last 28 reported days"
        required = ", required" if row.is_required else ""
        lines.append(f"             {brought}{required}")
    return lines
