"""What simulated agencies will send, and what must come of it to the unit.

Pure: figures and a seeded generator in, events out, one at a time, so that a plan of
any length needs little memory. The net effect of a flow is exactly its figures:
only events added for the purpose are reversed, and repeats bear the same id.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from itertools import repeat
from random import Random
from typing import Final, NamedTuple

COUNT_MAX: Final = 1_000_000_000
AMOUNT_MAX: Final = 1_000_000_000_000_000
WHOLE_PPM: Final = 1_000_000
REVERSED_TYPE: Final = "uptake.event.reversed"
# Working hours: no zone changes its clock then, so every such time exists once.
FIRST_SECOND_OF_DAY: Final = 8 * 3600
SECONDS_OF_DAY: Final = 12 * 3600


class PlannedEvent(NamedTuple):
    """One sending of one event.

    Attributes:
        id: Unique among the agency's events, but for repeats.
        source: One of the agency's sources.
        type: CloudEvents type.
        time: RFC 3339 with offset.
        indicator: None where the type implies it, and for a reversal.
        locality: None for a reversal.
        size: How many it counts; 0 for a reversal.
        amount: VND; None where the indicator has none.
        reversed_id: Of a reversal: the id of the original.
        reversed_time: Of a reversal: the time of the original.
        is_repeat: Whether this is the second sending.
    """

    id: str
    source: str
    type: str
    time: str
    indicator: str | None
    locality: str | None
    size: int
    amount: int | None
    reversed_id: str | None = None
    reversed_time: str | None = None
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """What one agency reports of one indicator.

    Attributes:
        id_prefix: Begins every event's id; no other flow of the agency shares it.
        source: The agency's source.
        type: CloudEvents type that adds to the indicator.
        indicator: What is counted.
        names_indicator: Whether events must name the indicator.
        count: Net count of all events together.
        amount: Net VND of all events together; None where there is none.
        event_count: How many events bring it, at least 1.
        leaves: Codes of communes, at least one.
        days: Local days, ascending, at least one.
        is_daily_sum: Whether an event is a commune's day, taken in turn; else the
            commune is drawn, some far more often than others.
    """

    id_prefix: str
    source: str
    type: str
    indicator: str
    names_indicator: bool
    count: int
    amount: int | None
    event_count: int
    leaves: tuple[str, ...]
    days: tuple[date, ...]
    is_daily_sum: bool = False

    def __post_init__(self) -> None:
        """Refuse a flow that no events of legal size can make up.

        Raises:
            ValueError: Too few or too many events for the count or the amount.
        """
        if not 1 <= self.event_count <= self.count <= self.event_count * COUNT_MAX:
            raise ValueError(
                f"{self.indicator}: {self.event_count} events cannot make {self.count}"
            )
        if not 0 <= (self.amount or 0) <= self.event_count * AMOUNT_MAX:
            raise ValueError(
                f"{self.indicator}: {self.event_count} events cannot make "
                f"{self.amount} VND"
            )
        if not self.leaves or not self.days:
            raise ValueError(f"{self.indicator}: a flow needs communes and days")


@dataclass(frozen=True, slots=True)
class Unrest:
    """How untidy the sending is.

    Attributes:
        duplicate_ppm: Events sent twice, per million.
        reversal_ppm: Events added and reversed, per million.
        disorder_events: Most places by which an event is moved from its order.
    """

    duplicate_ppm: int = 20_000
    reversal_ppm: int = 1_000
    disorder_events: int = 3_000

    def __post_init__(self) -> None:
        """Refuse what is no share or no distance.

        Raises:
            ValueError: A share is not within 0 and 1, or the distance is below 1.
        """
        for ppm in (self.duplicate_ppm, self.reversal_ppm):
            if not 0 <= ppm <= WHOLE_PPM:
                raise ValueError("a share lies between 0 and 1")
        if self.disorder_events < 1:
            raise ValueError("disorder is at least one place")


@dataclass(slots=True)
class Tally:
    """What a plan sends, and how aggregation must class it.

    Attributes:
        sent: Events sent, repeats included.
        counted: Events that enter the ledger.
        duplicates: Repeats.
        reversed: Reversals.
    """

    sent: int = 0
    counted: int = 0
    duplicates: int = 0
    reversed: int = 0

    def add(self, event: PlannedEvent) -> None:
        """Count one sending."""
        self.sent += 1
        if event.is_repeat:
            self.duplicates += 1
        elif event.reversed_id is not None:
            self.reversed += 1
        else:
            self.counted += 1

    def __add__(self, other: "Tally") -> "Tally":
        """Sum two tallies."""
        return Tally(
            self.sent + other.sent,
            self.counted + other.counted,
            self.duplicates + other.duplicates,
            self.reversed + other.reversed,
        )


@dataclass(frozen=True, slots=True)
class AgencyPlan:
    """What one agency sends.

    Attributes:
        agency: Its id.
        key: The key it sends with.
        flows: What it reports.
    """

    agency: str
    key: str = field(repr=False)
    flows: tuple[Flow, ...]


def expect_tally(plans: Iterable[AgencyPlan], unrest: Unrest) -> Tally:
    """Tell beforehand how many events of each class the plans bring."""
    total = Tally()
    for plan in plans:
        counted = reversals = 0
        for flow in plan.flows:
            extras = _share(flow.event_count, unrest.reversal_ppm)
            counted += flow.event_count + extras
            reversals += extras
        repeats = _share(counted + reversals, unrest.duplicate_ppm)
        total += Tally(counted + reversals + repeats, counted, repeats, reversals)
    return total


def plan_events(
    plan: AgencyPlan, unrest: Unrest, zone: tzinfo, rng: Random
) -> Iterator[PlannedEvent]:
    """Yield what an agency sends, in the order of sending.

    Args:
        plan: Its flows.
        unrest: How many repeats and reversals, and how much disorder.
        zone: The catalogue's time zone.
        rng: Seeded; decides sizes, places, times and order, never a sum.
    """
    by_day = heapq.merge(
        *(_plan_flow(flow, unrest, zone, rng) for flow in plan.flows),
        key=lambda pair: pair[0],
    )
    return _unsettle((event for _, event in by_day), unrest, rng)


def split_sum(
    total: int, part_count: int, low: int, high: int, rng: Random
) -> Iterator[int]:
    """Cut a sum into parts of differing size that make up exactly the sum.

    Raises:
        ValueError: No such parts lie between `low` and `high`.
    """
    if not part_count * low <= total <= part_count * high:
        raise ValueError(f"{total} is no sum of {part_count} parts")

    def even_part(at: int) -> int:
        return (at + 1) * total // part_count - at * total // part_count

    # What one of a pair gains, the other loses, so no rounding can lose a unit.
    for at in range(0, part_count - 1, 2):
        first, second = even_part(at), even_part(at + 1)
        gain = rng.randint(0, min(high - first, second - low))
        yield first + gain
        yield second - gain
    if part_count % 2:
        yield even_part(part_count - 1)


def _share(whole: int, ppm: int) -> int:
    """Take a share, rounded up: even a short flow has a repeat and a reversal."""
    return -(-whole * ppm // WHOLE_PPM)


def _is_chosen(index: int, ppm: int) -> bool:
    """Choose evenly, so that exactly the share of the first n is chosen."""
    return _share(index + 1, ppm) > _share(index, ppm)


def _plan_flow(
    flow: Flow, unrest: Unrest, zone: tzinfo, rng: Random
) -> Iterator[tuple[date, PlannedEvent]]:
    """Yield a flow's events with their days, ascending by day."""
    sizes = split_sum(flow.count, flow.event_count, 1, COUNT_MAX, rng)
    amounts: Iterator[int | None] = repeat(None, flow.event_count)
    if flow.amount is not None:
        amounts = split_sum(flow.amount, flow.event_count, 0, AMOUNT_MAX, rng)
    offsets = [_offset_text(day, zone) for day in flow.days]
    leaves = list(flow.leaves)
    rng.shuffle(leaves)
    width = len(leaves)
    for index, (size, amount) in enumerate(zip(sizes, amounts, strict=True)):
        at = index * len(flow.days) // flow.event_count
        leaf = index if flow.is_daily_sum else rng.randrange(rng.randrange(width) + 1)
        event = PlannedEvent(
            id=f"{flow.id_prefix}{index}",
            source=flow.source,
            type=flow.type,
            time=_time_text(flow.days[at], offsets[at], rng),
            indicator=flow.indicator if flow.names_indicator else None,
            locality=leaves[leaf % width],
            size=size,
            amount=amount,
        )
        yield flow.days[at], event
        if _is_chosen(index, unrest.reversal_ppm):
            for extra in _mistake(event, _time_text(flow.days[at], offsets[at], rng)):
                yield flow.days[at], extra


def _mistake(event: PlannedEvent, at: str) -> tuple[PlannedEvent, PlannedEvent]:
    """Make an event that should not have been sent, and its reversal."""
    mistake = event._replace(id=f"{event.id}x")
    return mistake, PlannedEvent(
        id=f"{event.id}r",
        source=event.source,
        type=REVERSED_TYPE,
        time=at,
        indicator=None,
        locality=None,
        size=0,
        amount=None,
        reversed_id=mistake.id,
        reversed_time=mistake.time,
    )


def _unsettle(
    events: Iterator[PlannedEvent], unrest: Unrest, rng: Random
) -> Iterator[PlannedEvent]:
    """Send some events twice and all of them out of order, within bounds."""
    # Each event is held until a place drawn for it: the heap never holds more than
    # the disorder allows, and the serial decides between equal places.
    held: list[tuple[int, int, PlannedEvent]] = []
    serial = 0
    for index, event in enumerate(events):
        while held and held[0][0] <= index:
            yield heapq.heappop(held)[2]
        sendings = [event]
        if _is_chosen(index, unrest.duplicate_ppm):
            sendings.append(event._replace(is_repeat=True))
        places = sorted(index + rng.randrange(unrest.disorder_events) for _ in sendings)
        for place, sending in zip(places, sendings, strict=True):
            heapq.heappush(held, (place, serial, sending))
            serial += 1
    while held:
        yield heapq.heappop(held)[2]


def _offset_text(day: date, zone: tzinfo) -> str:
    noon = datetime.combine(day, time(12), zone)
    return noon.isoformat()[-6:]


def _time_text(day: date, offset: str, rng: Random) -> str:
    second = FIRST_SECOND_OF_DAY + rng.randrange(SECONDS_OF_DAY)
    hour, rest = divmod(second, 3600)
    return f"{day}T{hour:02}:{rest // 60:02}:{rest % 60:02}{offset}"
