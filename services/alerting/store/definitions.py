"""The catalogue's targets, kept in Postgres so that every replica judges the same."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import asyncpg

from services.alerting.sql import QUERIES
from services.alerting.store.duties import take_over_duties
from services.alerting.store.rows import write_milestones
from services.alerting.store.session import Session, columns, transaction
from shared.catalogue.model import (
    Catalogue,
    LocalityKey,
    LocalityKind,
    Measure,
    Target,
)

_LEAF_KINDS = frozenset({LocalityKind.COMMUNE, LocalityKind.UNALLOCATED})


class _UnitKey(NamedTuple):
    """What a target is about; of a flow also in which days."""

    indicator: str
    locality: LocalityKey
    since: date | None
    until: date | None


class DefinitionStore:
    """Takes the catalogue's targets over."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def take_over(self, catalogue: Catalogue) -> int:
        """Make the targets in Postgres those of the catalogue.

        A target keeps its alerts whatever else of it changes; one that the catalogue
        has no more is marked, and its alerts end at the next evaluation. Sums of
        units whose leaves changed are made anew from the copy.

        Returns:
            Number of targets.
        """
        targets = sorted(catalogue.targets.values(), key=lambda target: target.id)
        wanted = {_unit_of(target) for target in targets}
        leaves = _leaves_below({unit.locality for unit in wanted}, catalogue)
        async with transaction(self._pool) as session:
            await session.execute(QUERIES["lock_copy"])
            await _take_over_units(session, wanted, leaves)
            await take_over_duties(session, catalogue)
            rows = [_definition(target, catalogue) for target in targets]
            await session.execute(
                QUERIES["save_target_definitions"], *columns(rows, 31)
            )
            await session.execute(
                QUERIES["remove_targets"], [target.id for target in targets]
            )
        return len(targets)


def _unit_of(target: Target) -> _UnitKey:
    is_flow = target.measure is Measure.FLOW
    return _UnitKey(
        target.indicator,
        target.locality,
        target.start_date if is_flow else None,
        target.due if is_flow else None,
    )


def _leaves_below(
    units: Iterable[LocalityKey], catalogue: Catalogue
) -> dict[LocalityKey, list[LocalityKey]]:
    """List the leaves of all times at or below each unit, sorted."""
    found: dict[LocalityKey, list[LocalityKey]] = {unit: [] for unit in units}
    for leaf in sorted(row.key for row in catalogue.tree if row.kind in _LEAF_KINDS):
        for above in catalogue.tree.ancestors(leaf):
            if above in found:
                found[above].append(leaf)
    return found


async def _take_over_units(
    session: Session,
    wanted: set[_UnitKey],
    leaves: Mapping[LocalityKey, list[LocalityKey]],
) -> None:
    await session.execute(
        QUERIES["add_units"],
        [unit.indicator for unit in wanted],
        [unit.locality.code for unit in wanted],
        [unit.locality.valid_from for unit in wanted],
        [unit.since for unit in wanted],
        [unit.until for unit in wanted],
    )
    digests = {key: _digest(below) for key, below in leaves.items()}
    unwanted: list[int] = []
    stale: dict[int, LocalityKey] = {}
    for row in await session.fetch(QUERIES["read_units"]):
        key = LocalityKey(row["locality"], row["valid_from"])
        unit = _UnitKey(row["indicator"], key, row["since"], row["until"])
        if unit not in wanted:
            unwanted.append(row["unit_id"])
        elif row["leaves_digest"] != digests[key]:
            stale[row["unit_id"]] = key
    if unwanted:
        await session.execute(QUERIES["remove_units"], unwanted)
    if stale:
        await _refill(session, stale, leaves, digests)


async def _refill(
    session: Session,
    stale: Mapping[int, LocalityKey],
    leaves: Mapping[LocalityKey, list[LocalityKey]],
    digests: Mapping[LocalityKey, str],
) -> None:
    unit_ids = list(stale)
    for name in ("clear_units", "clear_sums", "clear_partitions"):
        await session.execute(QUERIES[name], unit_ids)
    rows = [
        (unit_id, leaf.code, leaf.valid_from)
        for unit_id, key in stale.items()
        for leaf in leaves[key]
    ]
    await session.execute(QUERIES["add_leaves"], *columns(rows, 3))
    await session.execute(QUERIES["fill_days"], unit_ids)
    await session.execute(QUERIES["fill_partitions"], unit_ids)
    await session.execute(
        QUERIES["fill_levels"], unit_ids, [digests[key] for key in stale.values()]
    )


def _digest(leaves: Iterable[LocalityKey]) -> str:
    lines = "\n".join(f"{leaf.code} {leaf.valid_from}" for leaf in leaves)
    return hashlib.sha256(lines.encode()).hexdigest()


def _definition(target: Target, catalogue: Catalogue) -> tuple[Any, ...]:
    indicator = catalogue.indicators[target.indicator]
    chain = [
        catalogue.tree.get(key) for key in catalogue.tree.ancestors(target.locality)
    ]
    place = chain[0]
    assert place is not None, "the catalogue's check found the target's locality"
    province = next(
        (row.key.code for row in chain if row and row.kind is LocalityKind.PROVINCE), ""
    )
    population = target.population
    return (
        target.id,
        target.indicator,
        target.locality.code,
        target.locality.valid_from,
        place.kind.value,
        province,
        indicator.name,
        indicator.name_vi,
        place.name,
        catalogue.timezone,
        target.trajectory.value,
        target.start_date,
        target.start_value,
        target.due,
        target.goal_value,
        target.behind.enter_bp,
        target.behind.leave_bp,
        target.behind.for_seconds,
        target.behind.keep_seconds,
        target.issued_by,
        target.illustrative,
        target.measure.value,
        write_milestones(target.milestones),
        target.goal_share_bp,
        None if population is None else population.group,
        None if population is None else population.count,
        None if population is None else population.as_of,
        None if population is None else population.source,
        None if population is None else population.illustrative,
        target.period,
        target.succeeds,
    )
