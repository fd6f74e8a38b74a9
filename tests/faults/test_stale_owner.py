"""A process that wakes up after its partition moved takes nothing back.

On Apache Kafka only: the embedded broker does not notice that a member sleeps.
"""

from pathlib import Path

import pytest

from tests.faults.chaos.plan import Fault, Kind, Lane
from tests.faults.chaos.run import run_chaos

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]
STOPPED_SECONDS = 9.0
"""Longer than the consumer group's session (6 s)."""


async def test_owners_that_slept_through_a_rebalance_count_nothing_again(
    tmp_path: Path,
) -> None:
    """Each replica in turn sleeps; the other reads on; then the sleeper goes on too.

    It has records of its old partitions in hand, and the compare-and-set of the
    progress row is all that stands between them and the totals.
    """
    naps = [
        Fault(at, Kind.STOP, replica, STOPPED_SECONDS, Lane.PROCESSES)
        for at, replica in ((2.0, "aggregation-1"), (14.0, "aggregation-2"))
    ]
    said: list[str] = []
    summary = await run_chaos(
        tmp_path / "chaos",
        naps,
        seconds=25,
        seed=5,
        is_embedded=False,
        disk_mebibytes=None,
        say=said.append,
    )
    assert summary.startswith("exact: "), said
    assert "2 faults" in summary
