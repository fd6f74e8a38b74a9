"""What a request's decisions add up to: admitted records, receipt, status."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.ingest.core.admission import Admitted, Door, Refusal, admit
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
        admitted: Events that may enter the log.
        refused: Index in the request, and why.
    """

    received: int
    admitted: tuple[Admitted, ...]
    refused: tuple[tuple[int, Refusal], ...]

    @property
    def is_forbidden(self) -> bool:
        """Tell whether everything was refused because it is not the sender's."""
        return not self.admitted and all(
            refusal.code in FORBIDDEN for _, refusal in self.refused
        )

    def refusals(self) -> Sequence[Mapping[str, object]]:
        """Render the refusals for the sender."""
        return [
            {
                "index": index,
                "id": refusal.id,
                "code": refusal.code.value,
                "detail": refusal.detail,
            }
            for index, refusal in self.refused
        ]

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


def decide(events: Iterable[object], door: Door) -> Decided:
    """Decide on each event of a request; a bad one never touches a good one."""
    admitted = []
    refused = []
    received = 0
    for index, raw in enumerate(events):
        received += 1
        decision = admit(raw, door)
        if isinstance(decision, Admitted):
            admitted.append(decision)
        else:
            refused.append((index, decision))
    return Decided(received, tuple(admitted), tuple(refused))
