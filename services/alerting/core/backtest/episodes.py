"""The lives of alerts in a replay, from what was told of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import assert_never

from services.alerting.core.alerts import Kind
from services.alerting.core.backtest.replay import Turn
from services.alerting.core.life_cycle import State


@dataclass(frozen=True, slots=True)
class Episode:
    """One life of one alert.

    Attributes:
        target: The target's id.
        kind: Which alert.
        number: Which of its lives, from 1.
        pending_at: When it began to wait; None where it fired without waiting.
        firing_at: When it was raised; None where it never was.
        ended_at: When it was over; None where it still goes on.
        position: How far along the path the target was when it was raised, or else
            began to wait.
        text: What it said then, in English.
    """

    target: str
    kind: Kind
    number: int
    pending_at: datetime | None
    firing_at: datetime | None
    ended_at: datetime | None
    position: Fraction | None
    text: str

    @property
    def began_at(self) -> datetime:
        """When it began, to wait or at once."""
        began = self.pending_at or self.firing_at
        assert began is not None, "an episode begins with one of the two"
        return began


def episodes_of(
    turns: Iterable[Turn], before: Iterable[Episode] = ()
) -> tuple[Episode, ...]:
    """Put together what was told of each life, in the order in which they began.

    Args:
        turns: Each once, in order for each alert.
        before: Episodes that earlier turns made.
    """
    found = {(each.target, each.kind, each.number): each for each in before}
    for turn in turns:
        key = (turn.target, turn.kind, turn.episode)
        known = found.get(key)
        if known is None:
            known = Episode(*key, None, None, None, turn.position, turn.text)
        found[key] = _with(known, turn)
    return tuple(found.values())


def _with(known: Episode, turn: Turn) -> Episode:
    match turn.state:
        case State.PENDING:
            return replace(known, pending_at=turn.at)
        case State.FIRING:
            return replace(
                known, firing_at=turn.at, position=turn.position, text=turn.text
            )
        case State.RESOLVED | State.QUIET:
            return replace(known, ended_at=turn.at)
        case State.KEPT:
            return known
        case _:
            assert_never(turn.state)
