"""The effective-dated tree of localities.

Part of `shared.catalogue.model`, which is where to import it from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

UNALLOCATED_SUFFIX = "-unallocated"

_DIGITS = "0123456789"
_CODE_WIDTHS = (2, 5)


class LocalityKind(StrEnum):
    """What a locality is."""

    NATION = "nation"
    PROVINCE = "province"
    COMMUNE = "commune"
    UNALLOCATED = "unallocated"
    """The leaf for what is reported above commune level."""


class LocalityKey(NamedTuple):
    """The identity of a locality.

    A code alone is none: most communes of 2025 bear the code of an older unit
    with other land.
    """

    code: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class Locality:
    """One unit, for as long as its borders and its name are what they are."""

    key: LocalityKey
    valid_to: date | None
    """The first day on which it is no more; None while it lasts."""
    name: str
    kind: LocalityKind
    parent: LocalityKey | None
    """None for the nation only."""

    def exists_on(self, day: date) -> bool:
        """Tell whether the unit exists on a day."""
        return self.key.valid_from <= day and (
            self.valid_to is None or day < self.valid_to
        )


class _Tenure(NamedTuple):
    """The days during which a code means one locality."""

    begins: date
    ends: date
    """Exclusive; `date.max` while it lasts."""
    key: LocalityKey
    leaf: LocalityKey


@dataclass(frozen=True, slots=True)
class Tree:
    """All localities, with one unallocated leaf under the nation and provinces.

    Takes for granted what the loader has checked: keys are unique, parents
    exist and outlast their children, and no two units bear one code on one day.
    """

    localities: tuple[Locality, ...]
    """As given, that is without the unallocated leaves."""
    _by_key: Mapping[LocalityKey, Locality] = field(
        init=False, repr=False, compare=False
    )
    _tenures: Mapping[str, tuple[_Tenure, ...]] = field(
        init=False, repr=False, compare=False
    )
    _chains: Mapping[LocalityKey, tuple[LocalityKey, ...]] = field(
        init=False, repr=False, compare=False
    )
    _children: Mapping[LocalityKey, tuple[LocalityKey, ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Add the unallocated leaves and derive the look-ups."""
        given = sorted(self.localities, key=lambda locality: locality.key)
        by_key = {locality.key: locality for locality in given}
        tenures: dict[str, list[_Tenure]] = {}
        for locality in given:
            leaf = locality
            if locality.kind is not LocalityKind.COMMUNE:
                leaf = _unallocated_under(locality)
                by_key[leaf.key] = leaf
            tenures.setdefault(locality.key.code, []).append(
                _Tenure(
                    begins=locality.key.valid_from,
                    ends=locality.valid_to or date.max,
                    key=locality.key,
                    leaf=leaf.key,
                )
            )
        chains = {key: _chain(key, by_key) for key in by_key}
        children: dict[LocalityKey, list[LocalityKey]] = {}
        for locality in by_key.values():
            if locality.parent is not None:
                children.setdefault(locality.parent, []).append(locality.key)
        # A frozen dataclass has no other door for what it derives of itself.
        for name, mapping in (
            ("_by_key", by_key),
            ("_tenures", {code: tuple(rows) for code, rows in tenures.items()}),
            ("_chains", chains),
            ("_children", {key: tuple(sorted(row)) for key, row in children.items()}),
        ):
            object.__setattr__(self, name, MappingProxyType(mapping))

    def __iter__(self) -> Iterator[Locality]:
        """Go through all localities, unallocated leaves included."""
        return iter(self._by_key.values())

    def __len__(self) -> int:
        """Count all localities, unallocated leaves included."""
        return len(self._by_key)

    def __contains__(self, key: object) -> bool:
        """Tell whether a key is one of the tree's."""
        return key in self._by_key

    def leaves(self) -> Iterator[Locality]:
        """Go through the localities that hold counts."""
        return (row for row in self._by_key.values() if is_leaf(row))

    def get(self, key: LocalityKey) -> Locality | None:
        """Look a locality up by its identity."""
        return self._by_key.get(key)

    def leaf_for(self, code: str, day: date) -> LocalityKey | None:
        """Find the leaf that bears a code on a day.

        Called for every event, so it is one look-up and a comparison.

        Args:
            code: A commune's, for the commune itself; a province's or the
                nation's, for the unallocated leaf under it.
            day: A local day.

        Returns:
            None if nothing bears the code on that day. The code of an
            unallocated leaf is none to report under.
        """
        for tenure in self._tenures.get(code, ()):
            if tenure.begins <= day < tenure.ends:
                return tenure.leaf
        return None

    def at(self, code: str, day: date) -> Locality | None:
        """Find the locality that bears a code on a day, for readers.

        Unlike `leaf_for` it gives a province for a province's code, and takes
        the code of an unallocated leaf.
        """
        bare = code.removesuffix(UNALLOCATED_SUFFIX)
        for tenure in self._tenures.get(bare, ()):
            if tenure.begins <= day < tenure.ends:
                key = tenure.key if bare == code else tenure.leaf
                return self._by_key[key] if key.code == code else None
        return None

    def has_code(self, code: str) -> bool:
        """Tell whether anything may be reported under a code on some day."""
        return code in self._tenures

    def ancestors(self, leaf: LocalityKey) -> tuple[LocalityKey, ...]:
        """List a locality's chain, from itself up to the nation.

        Raises:
            KeyError: The locality is not of this tree.
        """
        return self._chains[leaf]

    def children(self, key: LocalityKey) -> tuple[LocalityKey, ...]:
        """List what lies directly under a locality, sorted, of all times."""
        return self._children.get(key, ())

    def is_within(self, leaf: LocalityKey, top_code: str, day: date) -> bool:
        """Tell whether a leaf lies in the subtree that bears a code on a day."""
        return any(
            key.code == top_code and self._by_key[key].exists_on(day)
            for key in self._chains.get(leaf, ())
        )

    def lies_below(self, code: str, top_code: str) -> bool:
        """Tell whether whatever bears a code, ever, is or lies below a top's code.

        False for a code that nothing bears.
        """
        tenures = self._tenures.get(code, ())
        return bool(tenures) and all(
            any(key.code == top_code for key in self._chains[tenure.key])
            for tenure in tenures
        )

    def nearest_codes(self, code: str, limit: int = 3) -> tuple[str, ...]:
        """Suggest codes that a sender may have meant.

        Looks up a fixed few variants instead of comparing with every code: a
        batch of wrong codes must not cost more than a batch of right ones.

        Returns:
            At most `limit` codes, likeliest first: lost leading zeros (what
            spreadsheets do), then two digits swapped, then one digit wrong.
        """
        known = dict.fromkeys(
            variant
            for variant in _variants(code)
            if variant != code and variant in self._tenures
        )
        return tuple(known)[:limit]


def is_leaf(locality: Locality) -> bool:
    """Tell whether a locality holds counts of its own."""
    return locality.kind in {LocalityKind.COMMUNE, LocalityKind.UNALLOCATED}


def _unallocated_under(locality: Locality) -> Locality:
    code, valid_from = locality.key
    return Locality(
        key=LocalityKey(f"{code}{UNALLOCATED_SUFFIX}", valid_from),
        valid_to=locality.valid_to,
        name=locality.name,
        kind=LocalityKind.UNALLOCATED,
        parent=locality.key,
    )


def _chain(
    key: LocalityKey, by_key: Mapping[LocalityKey, Locality]
) -> tuple[LocalityKey, ...]:
    chain = [key]
    while (parent := by_key[chain[-1]].parent) is not None:
        assert parent not in chain, "a locality is its own ancestor"
        chain.append(parent)
    return tuple(chain)


def _variants(code: str) -> Iterable[str]:
    for width in _CODE_WIDTHS:
        if 0 < len(code) < width:
            yield code.zfill(width)
    if len(code) not in _CODE_WIDTHS:
        return
    for at in range(len(code) - 1):
        yield f"{code[:at]}{code[at + 1]}{code[at]}{code[at + 2 :]}"
    for at in range(len(code)):
        for digit in _DIGITS:
            yield f"{code[:at]}{digit}{code[at + 1 :]}"
