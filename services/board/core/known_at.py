"""Which instants `known_at` may name, and what is refused of them."""

from dataclasses import dataclass
from datetime import datetime


class CannotBeKnownError(Exception):
    """Nobody can know what was asked; the message names the first or last instant."""


@dataclass(frozen=True, slots=True)
class KnownRange:
    """What the database says of an instant and those that can be asked.

    Attributes:
        is_kept: Whether the ledger reaches back to the instant; always where it has
            dropped nothing, since then it has lost nothing.
        known_from: The first instant that can be asked; None while any can.
        known_until: The last one: the present, by whichever clock is ahead.
    """

    is_kept: bool
    known_from: datetime | None
    known_until: datetime


def check_known(at: datetime, known: KnownRange) -> None:
    """Refuse an instant whose figures nobody can know.

    The future is refused rather than answered with the present: who asks for it has
    mistyped the year or the offset, and would quote figures that still change.

    Raises:
        CannotBeKnownError: With the first or last instant that can be asked.
    """
    if at > known.known_until:
        raise CannotBeKnownError(
            f"known_at {at.isoformat()} is in the future; give an instant up to "
            f"{known.known_until.isoformat()}, or leave it out for all that is counted"
        )
    if not known.is_kept and known.known_from is not None:
        raise CannotBeKnownError(
            f"known_at {at.isoformat()} is before what the ledger still holds; give an "
            f"instant from {known.known_from.isoformat()} on"
        )
