"""Which instants `--known-at` may name: reading one, and what is refused of them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from services.cli.render import LOCAL_TIME, plain
from shared.errors import FatalError


@dataclass(frozen=True, slots=True)
class KnownRange:
    """What the database says of an instant and those that can be asked.

    Attributes:
        is_kept: Whether the ledger reaches back to the instant; always where it has
            dropped nothing, since then it has lost nothing.
        known_from: The first instant that can be asked; None where nobody needs to be
            told.
        known_until: The last one: the present, by whichever clock is ahead.
    """

    is_kept: bool
    known_from: datetime | None
    known_until: datetime


def parse_instant(text: str) -> datetime:
    """Read an instant; without an offset it is local time.

    Returns:
        In UTC: the driver and the database turn any such instant into theirs.

    Raises:
        FatalError: It is none, or beyond what a calendar holds.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise FatalError(
            f"no instant: {plain(text)}; write it like 2026-11-21T09:00:00+07:00"
        ) from error
    aware = read if read.tzinfo else read.replace(tzinfo=LOCAL_TIME)
    try:
        return aware.astimezone(UTC)
    except OverflowError as error:
        raise FatalError(
            f"no instant that could be known: {text} is not between the years 1 and "
            "9999 in UTC; write it like 2026-11-21T09:00:00+07:00"
        ) from error


def check_known(at: datetime, known: KnownRange) -> None:
    """Refuse an instant whose figures nobody can know.

    The future is refused rather than answered with the present: who asks for it has
    mistyped the year or the offset, and would quote figures that still change.

    Raises:
        FatalError: With the first or last instant that can be asked.
    """
    if at > known.known_until:
        raise FatalError(
            f"--known-at {_written(at)} is in the future; give an instant up to now "
            f"({_written(known.known_until)}), or leave it out for all that is counted"
        )
    if not known.is_kept and known.known_from is not None:
        raise FatalError(
            f"--known-at {_written(at)} is before what the ledger still holds; what "
            "was known then cannot be told any more; give an instant from "
            f"{_written(known.known_from)} on"
        )


def _written(at: datetime) -> str:
    """Write an instant in full, so that it can be given back as it is."""
    try:
        return at.astimezone(LOCAL_TIME).isoformat()
    except OverflowError:
        return at.isoformat()
