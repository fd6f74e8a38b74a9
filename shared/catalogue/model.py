"""What the catalogue says, as immutable values.

Nothing here reads a file, a clock or a setting, so the same questions get the
same answers in every service. `shared.catalogue.load` builds a `Catalogue`
from files and checks what these classes take for granted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from shared.catalogue.target import (
    HOUR_SECONDS,
    Behind,
    Measure,
    Milestone,
    Population,
    Target,
    Trajectory,
)
from shared.catalogue.tree import (
    UNALLOCATED_SUFFIX,
    Locality,
    LocalityKey,
    LocalityKind,
    Tree,
    is_leaf,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

__all__ = [
    "HOUR_SECONDS",
    "UNALLOCATED_SUFFIX",
    "Agency",
    "AgencyKey",
    "AgencyLimits",
    "Behind",
    "Catalogue",
    "Effect",
    "EventType",
    "Indicator",
    "Locality",
    "LocalityKey",
    "LocalityKind",
    "Measure",
    "Milestone",
    "Population",
    "Target",
    "Trajectory",
    "Tree",
    "is_leaf",
]


class Effect(StrEnum):
    """What an event of a type does to the totals."""

    COUNT = "count"
    """Changes its indicator by its count, its amount, or both."""
    STATE = "state"
    """Sets the level of a stock for a day."""
    REVERSE = "reverse"
    """Voids an earlier event or statement."""
    CONTROL = "control"
    """Claims a figure to compare with; changes nothing."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """Something that is counted."""

    id: str
    name: str
    """In English."""
    name_vi: str
    """In Vietnamese."""
    measure: Measure
    has_amount: bool
    """Whether its events may carry an amount in VND."""
    unit: str
    """What one is, in English and in the plural: `accounts`."""
    source: str
    """Where the indicator is known from, as free text."""


@dataclass(frozen=True, slots=True)
class EventType:
    """What the catalogue makes of one CloudEvents type."""

    type: str
    effect: Effect
    indicator: str | None
    """None: the event names its indicator in `data.indicator`, or has none."""
    sign: int
    """+1 or -1 where the effect is count, else 0."""
    amount_only: bool = False
    """True where the event's count changes nothing and only its amount does.

    A refund takes money back; the sale that was counted has still taken place.
    """


@dataclass(frozen=True, slots=True)
class AgencyKey:
    """One key of an agency; the key itself is never kept."""

    id: str
    """A name for people, unique within the agency."""
    sha256: str
    """The key's SHA-256 as 64 lower-case hexadecimal digits."""
    last_day: date | None = None
    """The last local day on which it is valid; None: until it is taken away."""
    sources: tuple[str, ...] | None = None
    """Sorted, each one of the agency's or a path below; None: all of them."""
    indicators: frozenset[str] | None = None
    """Some of the agency's; None: all of them."""
    locality: str | None = None
    """The top of a subtree within the agency's; None: the agency's."""


@dataclass(frozen=True, slots=True)
class AgencyLimits:
    """What an agency may send, where it is other than the settings say."""

    events_per_second: int | None = None
    """In the long run; None: as the setting says."""
    burst_events: int | None = None
    """At once, after a while of silence; None: as the setting says."""
    body_bytes: int | None = None
    """In one request; never more than the setting. None: as the setting says."""


@dataclass(frozen=True, slots=True)
class Agency:
    """An organisation that sends events."""

    id: str
    name: str
    sources: tuple[str, ...]
    """At least one, sorted; none below another one of any agency."""
    indicators: frozenset[str]
    """Never empty; the file's `*` is spelt out."""
    locality: str
    """The code of the top of the subtree that it may report for."""
    kafka: bool = False
    """Whether it has a topic of its own, `uptake.submissions.<agency>`."""
    keys: tuple[AgencyKey, ...] = ()
    """None: it cannot send by HTTP. Two: it is rotating."""
    cadence_hours: int | None = None
    """The longest time between two reports of an indicator; None: never called
    silent but for those in `cadences`."""
    required: bool = False
    """Whether its silence alone makes a target unknown."""
    limits: AgencyLimits = AgencyLimits()
    cadences: tuple[tuple[str, int], ...] = ()
    """Indicators, sorted, that are reported at another cadence, in hours."""

    def cadence_of(self, indicator: str) -> int | None:
        """Return the longest time between two reports of an indicator, in hours.

        None where it owes none, so that it is never called silent.
        """
        return dict(self.cadences).get(indicator, self.cadence_hours)

    def can_send(self) -> bool:
        """Tell whether any door is open to it; of others nothing is expected."""
        return self.kafka or bool(self.keys)

    def owns_source(self, source: str) -> bool:
        """Tell whether a source is one of the agency's or a path below one.

        Compared segment by segment: `/vn/38/voso` owns `/vn/38/voso/shop1` and
        does not own `/vn/38/voso2`.
        """
        return any(
            source == own or source.startswith(f"{own}/") for own in self.sources
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything the catalogue says, with the ways to look it up.

    Mappings are copied and frozen, so a catalogue may be shared between tasks
    and swapped whole when the files change.
    """

    timezone: str
    """An IANA name; it decides the local day of an event."""
    indicators: Mapping[str, Indicator]
    event_types: Mapping[str, EventType]
    tree: Tree
    agencies: Mapping[str, Agency]
    targets: Mapping[str, Target]
    window_days: int = 62
    """How many days back events are still taken."""
    name: str = ""
    """A title for people."""
    populations: tuple[Population, ...] = ()
    """By group, locality and day, ascending."""
    _agency_by_sha256: Mapping[str, Agency] = field(
        init=False, repr=False, compare=False
    )
    _agency_by_source: Mapping[str, Agency] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Freeze the mappings and derive the look-ups."""
        by_sha256: dict[str, Agency] = {}
        by_source: dict[str, Agency] = {}
        for agency in self.agencies.values():
            by_sha256.update((key.sha256, agency) for key in agency.keys)
            by_source.update((source, agency) for source in agency.sources)
        # A frozen dataclass has no other door for what it derives of itself.
        for name, mapping in (
            ("indicators", self.indicators),
            ("event_types", self.event_types),
            ("agencies", self.agencies),
            ("targets", self.targets),
            ("_agency_by_sha256", by_sha256),
            ("_agency_by_source", by_source),
        ):
            object.__setattr__(self, name, MappingProxyType(dict(mapping)))

    def indicator(self, indicator_id: str) -> Indicator | None:
        """Look an indicator up by its id."""
        return self.indicators.get(indicator_id)

    def event_type(self, type_: str) -> EventType | None:
        """Look an event type up by its CloudEvents type."""
        return self.event_types.get(type_)

    def agency(self, agency_id: str) -> Agency | None:
        """Look an agency up by its id."""
        return self.agencies.get(agency_id)

    def target(self, target_id: str) -> Target | None:
        """Look a target up by its id."""
        return self.targets.get(target_id)

    def agency_for_key(self, sha256: str) -> Agency | None:
        """Find the agency whose key has this SHA-256.

        Args:
            sha256: 64 lower-case hexadecimal digits.
        """
        return self._agency_by_sha256.get(sha256)

    def agency_for_source(self, source: str) -> Agency | None:
        """Find the one agency that owns a source or a path above it.

        The cost grows with the number of segments, not of agencies.
        """
        path = source
        while path:
            if (agency := self._agency_by_source.get(path)) is not None:
                return agency
            path = path.rpartition("/")[0]
        return None
