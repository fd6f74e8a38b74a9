"""What keeps a process that slept through a rebalance from counting again.

A partition moves away from a process that sleeps on Apache Kafka only.
"""

from collections.abc import Mapping

from tests.support.mutations import Edit, Mutation

STALE = ("tests/faults/test_stale_owner.py",)

COMPARE = Edit(
    "services/aggregation/store",
    r"if stand\.get\(part\.partition\) != part\.first_offset:",
    "if False:",
)
SET = Edit(
    "services/aggregation/sql/queries.sql",
    r" AND p\.next_offset = b\.expected_offset",
    "",
)

GROUPS: Mapping[str, tuple[str, ...]] = {"stale": STALE}
MUTATIONS: Mapping[str, Mutation] = {
    "compare-and-set": Mutation((COMPARE, SET), STALE),
}
