"""The records of a benchmark, as ingest would have written them; seeded."""

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.ingest.core.admission import Admitted

AGENCIES: Final = 23
COMMUNES: Final = 166
DUPLICATES: Final = 0.02
REVERSALS: Final = 0.002
BATCH: Final = 1_000
TODAY: Final = date(2026, 11, 20)


@dataclass(frozen=True, slots=True)
class Workload:
    """So many records, from many agencies, mostly about today and yesterday.

    Attributes:
        reversals: Which part of them void the record before, whatever that is.
    """

    records: int
    seed: int = 1
    reversals: float = REVERSALS

    def batches(self) -> Iterator[tuple[str, Sequence[Admitted]]]:
        """Yield (agency, events) as requests of a thousand."""
        chance = random.Random(self.seed)  # noqa: S311 -- a seeded plan
        for number in range(0, self.records, BATCH):
            agency = f"agency-{number // BATCH % AGENCIES:02d}"
            size = min(BATCH, self.records - number)
            yield agency, self._batch(chance, agency, size)

    def _batch(
        self, chance: random.Random, agency: str, size: int
    ) -> Sequence[Admitted]:
        events: list[Admitted] = []
        while len(events) < size:
            draw = chance.random()
            if events and draw < DUPLICATES:
                events.append(chance.choice(events))
            elif events and draw < DUPLICATES + self.reversals:
                events.append(_reversal(chance, agency, events[-1]))
            else:
                events.append(_opened(chance, agency))
        return events


def _new_id(chance: random.Random) -> str:
    return uuid.UUID(int=chance.getrandbits(128)).hex


def _envelope(chance: random.Random, agency: str, type_: str) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": _new_id(chance),
        "source": f"/bench/{agency}",
        "type": type_,
        "time": f"{TODAY}T02:00:00.000000Z",
        "agency": agency,
    }


def _opened(chance: random.Random, agency: str) -> Admitted:
    day = TODAY - timedelta(days=min(int(chance.expovariate(1.5)), 7))
    record = _envelope(chance, agency, "uptake.cashless.opened") | {
        "localday": day.isoformat(),
        "effect": "count",
        "indicator": "cashless_accounts",
        "sign": 1,
        "locality": f"{14_000 + chance.randrange(COMMUNES):05d}",
        "validfrom": "2025-07-01",
        "data": {"count": chance.randint(1, 5), "amount": 0},
    }
    return Admitted(str(record["id"]), record)


def _reversal(chance: random.Random, agency: str, original: Admitted) -> Admitted:
    record = _envelope(chance, agency, "uptake.event.reversed") | {
        "localday": TODAY.isoformat(),
        "effect": "reverse",
        "data": {
            "id": original.id,
            "source": original.record["source"],
            "time": original.record["time"],
        },
    }
    return Admitted(str(record["id"]), record)
