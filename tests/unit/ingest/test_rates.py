"""What each agency has left to send."""

from dataclasses import replace

from services.ingest.guard.limits import AGENCIES_MAX, AgencyRates
from tests.unit.ingest.doors import BANK, SHOP

# Slow enough that nothing comes back while a test runs.
RARE = 0.001


def test_rate_counts_by_agency_and_refuses_the_whole() -> None:
    """What is refused costs nothing."""
    rates = AgencyRates(events_per_second=RARE, burst_events=5)
    assert rates.take(BANK, 3) == 0
    assert rates.take(BANK, 3) > 0
    assert rates.take(BANK, 2) == 0
    assert rates.take(SHOP, 5) == 0


def test_what_was_taken_ahead_is_used_before_more_is_taken() -> None:
    """One by one or all at once, a burst has so many events and no more."""
    rates = AgencyRates(events_per_second=RARE, burst_events=1_000)
    alone = sum(rates.take(BANK, 1) == 0 for _ in range(1_100))
    assert alone == 1_000
    assert rates.take(SHOP, 1) == 0
    assert rates.take(SHOP, 1_000) > 0
    assert rates.take(SHOP, 999) == 0
    assert rates.take_some(SHOP, 5)[0] == 0


def test_part_is_let_through_of_what_was_taken_ahead_first() -> None:
    """And what is left of it afterwards is let through to nobody twice."""
    rates = AgencyRates(events_per_second=RARE, burst_events=1_000)
    assert rates.take(BANK, 1) == 0
    assert rates.take_some(BANK, 4) == (4, 0.0)
    assert rates.take_some(BANK, 2_000)[0] == 995


def test_what_is_used_up_comes_back_at_the_rate() -> None:
    """A thousand a second are back after milliseconds."""
    rates = AgencyRates(events_per_second=1_000, burst_events=50)
    assert rates.take(BANK, 50) == 0
    waited = [rates.take(BANK, 50) for _ in range(200)]
    assert all(0 <= seconds <= 0.05 for seconds in waited)


def test_rates_of_any_number_of_agencies_are_bounded() -> None:
    """Beyond a number that no catalogue reaches the longest silent is forgotten."""
    rates = AgencyRates(events_per_second=RARE, burst_events=1)
    others = [replace(SHOP, id=f"shop-{number}") for number in range(AGENCIES_MAX)]
    rates.take(BANK, 1)
    for other in others[1:]:
        rates.take(other, 1)
    assert rates.take(BANK, 1) > 0
    for other in others:
        rates.take(other, 1)
    assert rates.take(BANK, 1) == 0
    assert len(rates._in_hand) <= AGENCIES_MAX


def test_part_of_what_is_asked_is_let_through_and_the_rest_has_a_time() -> None:
    """As much as there is; then what comes in a second, never more than a burst."""
    rates = AgencyRates(events_per_second=0.5, burst_events=5)
    assert rates.take_some(BANK, 3) == (3, 0.0)
    taken, seconds = rates.take_some(BANK, 9)
    assert taken == 2
    assert 1 < seconds <= 2
    assert rates.take_some(SHOP, 0) == (0, 0.0)
    quick = AgencyRates(events_per_second=1_000, burst_events=50)
    taken, seconds = quick.take_some(BANK, 60)
    assert 50 <= taken < 60
    assert 0 < seconds <= 0.01
    narrow = AgencyRates(events_per_second=100, burst_events=1)
    taken, seconds = narrow.take_some(BANK, 1_000_000)
    assert taken == 1
    assert 0 < seconds <= 0.01
