"""What a request's decisions add up to: admitted records, receipt, status."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.ingest.core.admission import Admitted, Door, Refusal, admit
from services.ingest.core.precedents import PlainEvent, Precedents
from shared.errors import RefusalCode

FORBIDDEN: Final = frozenset(
    {
        RefusalCode.SOURCE_NOT_YOURS,
        RefusalCode.INDICATOR_NOT_YOURS,
        RefusalCode.LOCALITY_NOT_YOURS,
    }
)


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions on all events of one request, in the order sent.

    Attributes:
        admitted: Events that may enter the log; some as their records stand there.
        refused: Index in the request, and why.
    """

    received: int
    admitted: tuple[Admitted | bytes, ...]
    refused: tuple[tuple[int, Refusal], ...]

    @property
    def is_forbidden(self) -> bool:
        """Tell whether everything was refused because it is not the sender's."""
        return not self.admitted and all(
            refusal.code in FORBIDDEN for _, refusal in self.refused
        )

    def refusals(self) -> Sequence[Mapping[str, object]]:
        """Render the refusals for the sender."""
        return [_render(index, refusal) for index, refusal in self.refused]

    def receipt(self, accepted: int) -> Mapping[str, object]:
        """Render the receipt.

        Args:
            accepted: How many events are durable.
        """
        return {
            "received": self.received,
            "accepted": accepted,
            "refused": self.refusals(),
        }


class Deciding:
    """Decides on the events of one request, part by part; a bad one touches no other.

    Attributes:
        received: How many were decided on.
    """

    def __init__(self, door: Door, precedents: Precedents) -> None:
        self._door = door
        self._plain_door = precedents.open(door)
        self._admitted: list[Admitted | bytes] = []
        self._refused: list[tuple[int, Refusal]] = []
        self.received = 0

    def add(self, events: Iterable[object]) -> None:
        """Decide on the next events; what could not be read comes as its refusal."""
        for raw in events:
            decision = self._decide(raw)
            if isinstance(decision, Refusal):
                self._refused.append((self.received, decision))
            else:
                self._admitted.append(decision)
            self.received += 1

    def _decide(self, raw: object) -> Admitted | Refusal | bytes:
        if isinstance(raw, PlainEvent):
            return self._plain_door.admit(raw)
        return raw if isinstance(raw, Refusal) else admit(raw, self._door)

    @property
    def decided(self) -> Decided:
        """Return the decisions so far."""
        return Decided(self.received, tuple(self._admitted), tuple(self._refused))


def decide(events: Iterable[object], door: Door) -> Decided:
    """Decide on all events of a request."""
    deciding = Deciding(door, Precedents())
    deciding.add(events)
    return deciding.decided


@dataclass(slots=True)
class StreamTally:
    """What has become of a stream so far, in memory that does not grow with it.

    Attributes:
        shown_max: How many refusals are told one by one; the others are counted.
        lines: Every line up to this one, from 1, is decided and what was admitted of
            them is durable.
        codes: How many were refused, by code.
    """

    shown_max: int
    received: int = 0
    accepted: int = 0
    lines: int = 0
    codes: Counter[RefusalCode] = field(default_factory=Counter)
    shown: list[Mapping[str, object]] = field(default_factory=list)

    def settle(self, decided: Decided, lines: Sequence[int], through: int) -> None:
        """Add a part that is durable.

        Args:
            decided: The part's decisions.
            lines: Where each of its events stood.
            through: The last line that the part covers; blank ones count.
        """
        for index, refusal in decided.refused:
            self.codes[refusal.code] += 1
            if len(self.shown) < self.shown_max:
                line = {"line": lines[index]}
                self.shown.append({**_render(self.received + index, refusal), **line})
        self.received += decided.received
        self.accepted += len(decided.admitted)
        self.lines = through

    @property
    def is_forbidden(self) -> bool:
        """Tell whether everything was refused because it is not the sender's."""
        return not self.accepted and set(self.codes) <= FORBIDDEN

    @property
    def refused_count(self) -> int:
        """Return how many were refused."""
        return self.codes.total()

    def receipt(self) -> Mapping[str, object]:
        """Render the summary."""
        return {
            "received": self.received,
            "accepted": self.accepted,
            "refused": self.shown,
            "refused_count": self.refused_count,
            "refused_by_code": {
                code.value: count for code, count in sorted(self.codes.items())
            },
            "durable_through_line": self.lines,
        }


def _render(index: int, refusal: Refusal) -> Mapping[str, object]:
    return {
        "index": index,
        "id": refusal.id,
        "code": refusal.code.value,
        "detail": refusal.detail,
    }
