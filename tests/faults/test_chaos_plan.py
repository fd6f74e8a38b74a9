"""A seed is a plan; and what watches the run sees what it should."""

import itertools
from dataclasses import replace

import pytest

from tests.faults.chaos.faults import CLOCK_SECONDS, DOINGS
from tests.faults.chaos.plan import (
    DISK_CARDS,
    KAFKA_CARDS,
    NETWORK_CARDS,
    POSTGRES_CARDS,
    PROCESS_CARDS,
    Fault,
    Kind,
    Lane,
    make_plan,
)
from tests.faults.chaos.watch import UnitTotal, hold_bank

pytestmark = pytest.mark.embedded
SEEDS = range(50)
EXPECTED_OF_SEED_7 = [
    "clock ahead ingest for 3.3 s",
    "cut kafka for 1.6 s",
    "slow kafka for 2.2 s",
    "join and leave aggregation-3 for 8.4 s",
    "lose replies postgres for 1.7 s",
    "slow postgres for 3.6 s",
    "kill ingest for 2.1 s",
]
EVERY_CARD = (
    *PROCESS_CARDS,
    *NETWORK_CARDS,
    *POSTGRES_CARDS,
    *KAFKA_CARDS,
    *DISK_CARDS,
)


def plan(seed: int, seconds: float = 600, **changes: bool) -> tuple[Fault, ...]:
    """Make a plan with everything that there is."""
    having = {"has_durable_broker": True, "has_small_disk": True, **changes}
    return make_plan(seed, seconds, **having)


def test_seed_decides_the_whole_plan() -> None:
    """The same seed gives the same plan; others give others."""
    assert [plan(seed) for seed in SEEDS] == [plan(seed) for seed in SEEDS]
    assert len({plan(seed) for seed in SEEDS}) == len(SEEDS)


def test_plan_is_known_by_heart() -> None:
    """A printed seed keeps its meaning: this one was written down."""
    assert [fault.line() for fault in plan(7, 20)] == EXPECTED_OF_SEED_7


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_of_a_lane_follow_each_other_and_end_in_time(seed: int) -> None:
    """One process is not killed while it is stopped, nor a server while it is away."""
    made = plan(seed, 90)
    assert list(made) == sorted(made, key=lambda fault: fault.at_seconds)
    for lane in Lane:
        faults = [fault for fault in made if fault.lane is lane]
        assert len(faults) > 5
        for earlier, later in itertools.pairwise(faults):
            assert later.at_seconds > earlier.at_seconds + earlier.duration_seconds
        assert faults[-1].at_seconds + faults[-1].duration_seconds <= 90


def test_ten_minutes_hold_every_fault() -> None:
    """Cards are drawn from a deck, so that luck leaves nothing out."""
    for seed in SEEDS:
        drawn = {(fault.kind, fault.target) for fault in plan(seed)}
        assert drawn == {(card.kind, card.target) for card in EVERY_CARD}


def test_what_cannot_be_done_is_not_planned() -> None:
    """The embedded broker is never stopped, and only a small disk is filled."""
    made = plan(1, has_durable_broker=False, has_small_disk=False)
    drawn = {(fault.kind, fault.target) for fault in made}
    left_out = {(card.kind, card.target) for card in (*KAFKA_CARDS, *DISK_CARDS)}
    assert not drawn & left_out
    assert (Kind.KILL, "postgres") in drawn


def test_every_fault_can_be_done() -> None:
    """A kind without a doing would only show in a long run."""
    assert DOINGS.keys() == set(Kind)
    clocks = {card.kind for card in EVERY_CARD if card.kind.startswith("clock")}
    assert CLOCK_SECONDS.keys() == clocks


TOTALS = (
    UnitTotal("accounts", "VN", "nation", 16, 160, None),
    UnitTotal("accounts", "VN-unallocated", "unallocated", 1, 10, None),
    UnitTotal("accounts", "38", "province", 15, 150, None),
    UnitTotal("accounts", "38-unallocated", "unallocated", 2, 20, "38"),
    UnitTotal("accounts", "15961", "commune", 13, 130, "38"),
)


def test_agreeing_totals_pass() -> None:
    """Every level is the sum of the one below."""
    hold_bank(TOTALS, {"accounts": 16})
    hold_bank((), {})


@pytest.mark.parametrize("wrong", range(len(TOTALS)))
@pytest.mark.parametrize("changes", [{"count": 14}, {"amount": 7}])
def test_any_total_that_differs_is_seen(wrong: int, changes: dict[str, int]) -> None:
    """One unit too much or too little, at any level, breaks promise 4."""
    totals = list(TOTALS)
    totals[wrong] = replace(totals[wrong], **changes)  # type: ignore[arg-type] # counts
    with pytest.raises(AssertionError, match="promise 4"):
        hold_bank(totals, {"accounts": 16})


@pytest.mark.parametrize("missing", range(len(TOTALS)))
def test_any_missing_total_is_seen(missing: int) -> None:
    """A read that lacks a unit is no snapshot."""
    with pytest.raises(AssertionError, match="promise 4"):
        hold_bank(
            [total for place, total in enumerate(TOTALS) if place != missing],
            {"accounts": 16},
        )


def test_totals_without_effects_are_seen() -> None:
    """The nation is the sum of all daily totals of the same snapshot."""
    with pytest.raises(AssertionError, match="daily totals"):
        hold_bank(TOTALS, {"accounts": 17})
