"""The plan of a simulation: whatever is drawn, the sums are the figures."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.simulate.plan import (
    AMOUNT_MAX,
    COUNT_MAX,
    AgencyPlan,
    Flow,
    PlannedEvent,
    Tally,
    Unrest,
    expect_tally,
    plan_events,
    split_sum,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = date(2026, 11, 21)
DAYS = tuple(TODAY - timedelta(days=back) for back in range(50, 0, -1))
LEAVES = ("14797", "15958", "16012")


@st.composite
def flows(draw: st.DrawFn, number: int) -> Flow:
    """Draw a flow whose figures its events can make up."""
    event_count = draw(st.integers(1, 60))
    count = draw(st.integers(event_count, event_count * COUNT_MAX))
    amount = draw(st.none() | st.integers(0, event_count * AMOUNT_MAX))
    return Flow(
        id_prefix=f"s-{number}-",
        source="/vn/38/voso",
        type="uptake.indicator.counted",
        indicator=f"indicator_{number}",
        names_indicator=True,
        count=count,
        amount=amount,
        event_count=event_count,
        leaves=LEAVES,
        days=DAYS[draw(st.integers(0, 49)) :],
        is_daily_sum=draw(st.booleans()),
    )


PLANS = st.tuples(flows(0), flows(1), flows(2)).map(
    lambda drawn: AgencyPlan(agency="voso", key="key", flows=drawn)
)
UNRESTS = st.builds(
    Unrest,
    duplicate_ppm=st.integers(0, 1_000_000),
    reversal_ppm=st.integers(0, 1_000_000),
    disorder_events=st.integers(1, 100),
)
SEEDS = st.integers(0, 2**32)


def _sent(plan: AgencyPlan, unrest: Unrest, seed: int) -> list[PlannedEvent]:
    # Nothing secret depends on these numbers.
    return list(plan_events(plan, unrest, ZONE, Random(seed)))  # noqa: S311


def _net(events: list[PlannedEvent]) -> dict[str, tuple[int, int]]:
    """Judge events as aggregation does: once each, without what was reversed."""
    voided = {event.reversed_id for event in events}
    first = {event.id: event for event in events if event.indicator is not None}
    net: dict[str, tuple[int, int]] = {}
    for event in first.values():
        if event.id not in voided and event.indicator is not None:
            count, amount = net.get(event.indicator, (0, 0))
            net[event.indicator] = (
                count + event.size,
                amount + (event.amount or 0),
            )
    return net


@given(PLANS, UNRESTS, SEEDS)
def test_net_effect_is_the_figures_to_the_unit(
    plan: AgencyPlan, unrest: Unrest, seed: int
) -> None:
    """Repeats, reversals and disorder change no sum, whatever the seed."""
    expected = {flow.indicator: (flow.count, flow.amount or 0) for flow in plan.flows}
    assert _net(_sent(plan, unrest, seed)) == expected


@given(PLANS, UNRESTS, SEEDS)
def test_tally_is_known_beforehand(plan: AgencyPlan, unrest: Unrest, seed: int) -> None:
    """The classes that aggregation must find are told before anything is sent."""
    tally = Tally()
    for event in _sent(plan, unrest, seed):
        tally.add(event)
    assert tally == expect_tally([plan], unrest)


@given(PLANS, UNRESTS, SEEDS)
def test_ids_are_unique_except_for_repeats_of_the_same_event(
    plan: AgencyPlan, unrest: Unrest, seed: int
) -> None:
    """An id is sent once or twice; the second sending is the same event, later."""
    seen: dict[str, PlannedEvent] = {}
    for event in _sent(plan, unrest, seed):
        assert event.is_repeat == (event.id in seen)
        if event.is_repeat:
            assert seen[event.id] == event._replace(is_repeat=False)
        seen[event.id] = event
    repeats = Counter(event.id for event in _sent(plan, unrest, seed))
    assert max(repeats.values()) <= 2


@given(PLANS, UNRESTS, SEEDS)
def test_every_event_is_one_that_ingest_accepts(
    plan: AgencyPlan, unrest: Unrest, seed: int
) -> None:
    """Sizes, places and days are within the limits of the contract."""
    for event in _sent(plan, unrest, seed):
        at = datetime.fromisoformat(event.time)
        assert at.utcoffset() == timedelta(hours=7)
        assert at.astimezone(ZONE).date() in DAYS
        assert at < datetime(2026, 11, 21, tzinfo=ZONE).astimezone(UTC)
        if event.reversed_id is None:
            assert 1 <= event.size <= COUNT_MAX
            assert event.amount is None or 0 <= event.amount <= AMOUNT_MAX
            assert event.locality in LEAVES


@given(PLANS, UNRESTS, SEEDS)
def test_reversals_name_an_event_of_the_plan_and_its_time(
    plan: AgencyPlan, unrest: Unrest, seed: int
) -> None:
    """A reversal with another time would be rejected as a mismatch."""
    events = _sent(plan, unrest, seed)
    times = {event.id: event.time for event in events if event.reversed_id is None}
    for event in events:
        if event.reversed_id is not None:
            assert times[event.reversed_id] == event.reversed_time


@given(PLANS, SEEDS)
def test_the_same_seed_gives_the_same_plan(plan: AgencyPlan, seed: int) -> None:
    """A failure can be replayed."""
    assert _sent(plan, Unrest(), seed) == _sent(plan, Unrest(), seed)


def _long_plan(event_count: int) -> AgencyPlan:
    flow = Flow(
        id_prefix="s-0-",
        source="/vn/38/voso",
        type="uptake.ecommerce.completed",
        indicator="ecommerce_transactions",
        names_indicator=False,
        count=event_count,
        amount=event_count * 400_000,
        event_count=event_count,
        leaves=LEAVES,
        days=DAYS,
    )
    return AgencyPlan(agency="voso", key="key", flows=(flow,))


def test_some_reversals_are_sent_before_their_originals_and_some_after() -> None:
    """Both orders occur, so that both are exercised."""
    place = {
        event.id: at
        for at, event in enumerate(_sent(_long_plan(5_000), Unrest(), 1))
        if not event.is_repeat
    }
    orders = {
        place[name] < place[f"{name[:-1]}x"] for name in place if name.endswith("r")
    }
    assert orders == {True, False}


def test_disorder_is_bounded_and_there_is_some() -> None:
    """No event is moved further than was asked for."""
    unrest = Unrest(duplicate_ppm=0, reversal_ppm=0, disorder_events=50)
    serials = [
        int(event.id.rpartition("-")[2])
        for event in _sent(_long_plan(2_000), unrest, 3)
    ]
    moves = [abs(at - serial) for at, serial in enumerate(serials)]
    assert 0 < max(moves) <= 50


def test_a_daily_sum_is_one_event_for_each_commune_and_day() -> None:
    """With as many events as communes times days, none is missing or double."""
    whole = _long_plan(len(LEAVES) * len(DAYS)).flows[0]
    flow = Flow(
        **{
            **{name: getattr(whole, name) for name in whole.__slots__},
            "count": 7_744_376,
            "is_daily_sum": True,
        }
    )
    events = _sent(
        AgencyPlan(agency="office", key="key", flows=(flow,)),
        Unrest(duplicate_ppm=0, reversal_ppm=0),
        5,
    )
    assert len({(event.locality, event.time[:10]) for event in events}) == 150


@given(st.integers(1, 50), st.integers(0, 10**17), SEEDS)
def test_parts_make_up_the_sum_and_keep_their_bounds(
    part_count: int, total: int, seed: int
) -> None:
    """No part leaves its bounds, and no unit is lost by rounding."""
    low, high = total // part_count // 2, total // part_count * 3 + 1
    rng = Random(seed)  # noqa: S311 -- nothing secret depends on it
    parts = list(split_sum(total, part_count, low, high, rng))
    assert sum(parts) == total
    assert all(low <= part <= high for part in parts)


@pytest.mark.parametrize(
    ("count", "event_count", "amount"),
    [(1, 2, None), (0, 0, None), (COUNT_MAX + 1, 1, None), (1, 1, AMOUNT_MAX + 1)],
)
def test_a_flow_that_no_legal_events_make_up_is_refused(
    count: int, event_count: int, amount: int | None
) -> None:
    """The mistake shows before anything is sent."""
    with pytest.raises(ValueError, match="cannot make"):
        Flow(
            id_prefix="s-",
            source="/vn/38/voso",
            type="uptake.indicator.counted",
            indicator="sellers",
            names_indicator=True,
            count=count,
            amount=amount,
            event_count=event_count,
            leaves=LEAVES,
            days=DAYS,
        )


def test_shares_are_kept_exactly() -> None:
    """Two per cent of 100,000 is 2,000 and a few for the added events."""
    tally = expect_tally([_long_plan(100_000)], Unrest())
    assert tally == Tally(sent=102_204, counted=100_100, duplicates=2_004, reversed=100)
