"""What a workload must come to, recounted from what was written and nothing else."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.ingest.core.admission import Admitted
from tests.bench.workload import Workload

TotalKey = tuple[str, str, str]
"""(agency, leaf, local day)."""
CLASSES: Final = ("counted", "duplicates", "reversed", "rejected")


@dataclass(slots=True)
class Truth:
    """Totals and classes, by the rules of the contract.

    Attributes:
        totals: Sums of the events that are not voided.
        classes: How many records were of which class.
    """

    totals: Counter[TotalKey] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)

    def add(self, key: TotalKey, count: int) -> None:
        """Note an event that counts."""
        self.totals[key] += count
        self.classes["counted"] += 1

    def lines(self) -> list[str]:
        """Return every total as text, sorted; none of zero."""
        return sorted(
            f"{agency} {leaf} {day} {count} 0"
            for (agency, leaf, day), count in self.totals.items()
            if count
        )


@dataclass(frozen=True, slots=True)
class AuditedWorkload:
    """A workload that is recounted as it is handed out."""

    workload: Workload
    truth: Truth

    @property
    def records(self) -> int:
        """How many there are."""
        return self.workload.records

    def batches(self) -> Iterator[tuple[str, Sequence[Admitted]]]:
        """Yield (agency, events) as requests of a thousand."""
        for agency, events in self.workload.batches():
            _recount(self.truth, agency, [event.record for event in events])
            yield agency, events


def _recount(truth: Truth, agency: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Recount a request: what it repeats or voids is in it, and before."""
    effects: dict[str, tuple[TotalKey, int]] = {}
    reversals: set[str] = set()
    voided: set[str] = set()
    for record in records:
        id_ = record["id"]
        data = record["data"]
        if id_ in effects or id_ in reversals:
            truth.classes["duplicates"] += 1
        elif record["effect"] == "count":
            key = (agency, record["locality"], record["localday"])
            effects[id_] = (key, data["count"])
            truth.add(*effects[id_])
        elif data["id"] in reversals or data["id"] in voided:
            # Of a reversal, or of what is voided already.
            truth.classes["rejected"] += 1
        else:
            reversals.add(id_)
            voided.add(data["id"])
            truth.classes["reversed"] += 1
            # Of a reversal that was rejected there is no effect: it waits for ever.
            if data["id"] in effects:
                key, count = effects[data["id"]]
                truth.totals[key] -= count
