"""What is taken out of the code, by area: rules, bounds and guarantees.

A module here is data only: `MUTATIONS`, by what each takes out, and `GROUPS`, the tests
that notice and that must pass in the tree as it is. `tests/faults/test_mutations.py`
runs all of them; `tests/faults/test_mutations_fit.py` sees at once what no longer fits.
"""

from collections.abc import Mapping
from typing import Protocol

from tests.faults.mutations import (
    admission,
    aggregation,
    backtest,
    board,
    control,
    delivery,
    door,
    forecast,
    guard,
    kafka_door,
    look,
    path,
    send,
    silence,
    stale_owner,
    text,
)
from tests.support.mutations import Mutation


class Area(Protocol):
    """What a module of mutations holds."""

    @property
    def MUTATIONS(self) -> Mapping[str, Mutation]:  # noqa: N802 -- a module's constant
        """Mutations, by what they take out."""

    @property
    def GROUPS(self) -> Mapping[str, tuple[str, ...]]:  # noqa: N802 -- as above
        """Tests that notice, by name: arguments of pytest."""


EMBEDDED: Mapping[str, Area] = {
    "admission": admission,
    "aggregation": aggregation,
    "backtest": backtest,
    "board": board,
    "control": control,
    "delivery": delivery,
    "door": door,
    "forecast": forecast,
    "guard": guard,
    "kafka_door": kafka_door,
    "look": look,
    "path": path,
    "send": send,
    "silence": silence,
    "text": text,
}
"""Areas whose tests need no server, or the embedded ones."""

APACHE_KAFKA: Mapping[str, Area] = {"stale_owner": stale_owner}
"""Areas whose tests need what only Apache Kafka does."""

AREAS: Mapping[str, Area] = {**EMBEDDED, **APACHE_KAFKA}
