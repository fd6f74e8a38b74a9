"""What is done to the house, and when; pure, so that a seed tells the whole plan."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

FIRST_AT_SECONDS: Final = (1.5, 3.0)
GAP_SECONDS: Final = (1.0, 4.0)


class Kind(StrEnum):
    """What can be done."""

    KILL = "kill"
    STOP = "stop"
    JOIN = "join and leave"
    CLOCK_AHEAD = "clock ahead"
    CLOCK_BACK = "clock back"
    RESTART = "restart"
    CUT = "cut"
    SLOW = "slow"
    LOSE_REPLIES = "lose replies"
    FULL_DISK = "full disk"


class Lane(StrEnum):
    """Faults of one lane follow each other; those of two lanes overlap."""

    PROCESSES = "processes"
    SERVERS = "servers"


class Card(NamedTuple):
    """A fault that can be drawn."""

    kind: Kind
    target: str
    shortest_seconds: float
    longest_seconds: float


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a plan.

    Attributes:
        at_seconds: When it begins, after the beginning of the run.
        target: Name of a process or server.
        duration_seconds: How long until it is taken back.
    """

    at_seconds: float
    kind: Kind
    target: str
    duration_seconds: float
    lane: Lane

    def line(self) -> str:
        """Say it in one line, without the time."""
        return f"{self.kind} {self.target} for {self.duration_seconds:.1f} s"


# A process that sleeps through this is out of its consumer group (session timeout
# 6 s), and wakes up holding partitions that another has read on.
LONGER_THAN_A_SESSION: Final = (7.5, 11.0)
PROCESS_CARDS: Final = (
    *(
        Card(Kind.KILL, target, 0.3, 2.5)
        for target in ("ingest", "aggregation-1", "aggregation-2", "alerting")
    ),
    *(
        Card(Kind.STOP, target, *LONGER_THAN_A_SESSION)
        for target in ("aggregation-1", "aggregation-2")
    ),
    Card(Kind.STOP, "ingest", 1.0, 4.0),
    Card(Kind.STOP, "alerting", *LONGER_THAN_A_SESSION),
    Card(Kind.JOIN, "aggregation-3", 8.0, 12.0),
    *(
        Card(kind, target, 2.0, 5.0)
        for kind in (Kind.CLOCK_AHEAD, Kind.CLOCK_BACK)
        for target in ("ingest", "aggregation-1", "alerting")
    ),
)
NETWORK_CARDS: Final = tuple(
    Card(kind, target, 1.0, 5.0)
    for kind in (Kind.CUT, Kind.SLOW, Kind.LOSE_REPLIES)
    for target in ("kafka", "postgres")
)
POSTGRES_CARDS: Final = (
    Card(Kind.RESTART, "postgres", 0.2, 3.0),
    Card(Kind.KILL, "postgres", 0.2, 3.0),
)
KAFKA_CARDS: Final = (
    Card(Kind.RESTART, "kafka", 0.2, 3.0),
    Card(Kind.KILL, "kafka", 0.2, 3.0),
)
DISK_CARDS: Final = (Card(Kind.FULL_DISK, "postgres", 3.0, 8.0),)


def make_plan(
    seed: int, seconds: float, *, has_durable_broker: bool, has_small_disk: bool
) -> tuple[Fault, ...]:
    """Plan a run.

    Args:
        seed: The same seed and arguments give the same plan.
        seconds: The end: no fault lasts longer.
        has_durable_broker: Whether the broker may be stopped and killed.
        has_small_disk: Whether the disk of Postgres can be filled.

    Returns:
        Faults by their beginning; those of one lane do not overlap.
    """
    servers = [*NETWORK_CARDS, *POSTGRES_CARDS]
    if has_durable_broker:
        servers += KAFKA_CARDS
    if has_small_disk:
        servers += DISK_CARDS
    chance = random.Random(seed)  # noqa: S311 -- a plan that can be repeated
    faults = [
        *_fill_lane(chance, Lane.PROCESSES, PROCESS_CARDS, seconds),
        *_fill_lane(chance, Lane.SERVERS, servers, seconds),
    ]
    return tuple(sorted(faults, key=lambda fault: fault.at_seconds))


def _fill_lane(
    chance: random.Random, lane: Lane, cards: Iterable[Card], seconds: float
) -> list[Fault]:
    """Draw from a shuffled deck, all cards before any comes again."""
    faults: list[Fault] = []
    deck: list[Card] = []
    at = round(chance.uniform(*FIRST_AT_SECONDS), 1)
    while True:
        if not deck:
            deck = sorted(cards)
            chance.shuffle(deck)
        card = deck.pop()
        duration = round(chance.uniform(card.shortest_seconds, card.longest_seconds), 1)
        if at + duration > seconds:
            return faults
        faults.append(Fault(at, card.kind, card.target, duration, lane))
        at = round(at + duration + chance.uniform(*GAP_SECONDS), 1)
