"""What a workload comes to, and how far totals are from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from typing_extensions import override

from services.ingest.core.admission import Admitted
from tests.bench.workload import Workload

Place = tuple[str, str, str, str]
"""(indicator, agency, locality, day)."""
Totals = Mapping[Place, tuple[int, int]]
"""(count, amount); what came to nothing may stand there as zeros, or not at all."""


def records_of(workload: Workload) -> Iterator[Admitted]:
    """Yield the records in the order in which they were appended."""
    for _, batch in workload.batches():
        yield from batch


def true_totals(workload: Workload) -> dict[Place, tuple[int, int]]:
    """Count by the rules: an id once, and a reversal takes its original out once."""
    totals: dict[Place, tuple[int, int]] = {}
    seen: set[tuple[object, object]] = set()
    standing: dict[tuple[object, object], tuple[Place, int, int]] = {}
    for event in records_of(workload):
        record, data = event.record, event.record["data"]
        assert isinstance(data, dict)
        key = (record["source"], record["id"])
        if key in seen:
            continue
        seen.add(key)
        if record["effect"] == "reverse":
            original = standing.pop((data["source"], data["id"]), None)
            if original is None:
                continue
            place, count, amount = original
            count, amount = -count, -amount
        else:
            place, count, amount = _place(record), data["count"], data["amount"]
            standing[key] = (place, count, amount)
        before = totals.get(place, (0, 0))
        totals[place] = (before[0] + count, before[1] + amount)
    return totals


def _place(record: Mapping[str, object]) -> Place:
    names = ("indicator", "agency", "locality", "localday")
    indicator, agency, locality, day = (str(record[name]) for name in names)
    return indicator, agency, locality, day


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far totals are from the truth.

    Attributes:
        counted: What all totals come to.
        true: What they should come to.
        too_many: By how much the totals that are too high are.
        too_few: By how much those that are too low are.
        wrong: How many totals are either.
    """

    counted: int
    true: int
    too_many: int
    too_few: int
    wrong: int

    @property
    def is_exact(self) -> bool:
        """Say whether every single total is right."""
        return self.wrong == 0

    @override
    def __str__(self) -> str:
        """Say it in words."""
        if self.is_exact:
            return "exact"
        parts = [f"{self.too_many:,} too many"] if self.too_many else []
        parts += [f"{self.too_few:,} too few"] if self.too_few else []
        parts = parts or ["amounts differ"]
        return f"{' and '.join(parts)}, in {self.wrong:,} totals"


def judge(found: Totals, true: Totals) -> Verdict:
    """Hold totals against the truth, one by one."""
    too_many = too_few = wrong = 0
    for place in found.keys() | true.keys():
        has, should = found.get(place, (0, 0)), true.get(place, (0, 0))
        wrong += has != should
        too_many += max(0, has[0] - should[0])
        too_few += max(0, should[0] - has[0])
    return Verdict(
        counted=sum(count for count, _ in found.values()),
        true=sum(count for count, _ in true.values()),
        too_many=too_many,
        too_few=too_few,
        wrong=wrong,
    )
