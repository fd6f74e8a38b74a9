"""Makes a `Catalogue` from the files of a directory.

    catalogue.yaml     name, time zone, window
    indicators.yaml    what is counted
    event_types.yaml   what each CloudEvents type does
    localities.csv     the tree, see `shared.catalogue.localities`
    agencies/*.yaml    one agency each
    targets/*.yaml     a list of targets each
    populations.csv    what goals are measured by, if any is

Either the whole directory is right, or nothing of it is used.
"""

from pathlib import Path

from shared.catalogue.checks import (
    ALL_INDICATORS,
    check_event_type,
    check_keys,
    check_scope,
    check_sources,
    check_unique,
)
from shared.catalogue.files import Problems, list_folder, read_many, read_one
from shared.catalogue.localities import read_tree
from shared.catalogue.model import (
    Agency,
    AgencyKey,
    AgencyLimits,
    Catalogue,
    EventType,
    Indicator,
    Target,
    Tree,
)
from shared.catalogue.populations import read_populations
from shared.catalogue.shapes import (
    AgencyKeyShape,
    AgencyShape,
    CatalogueShape,
    EventTypeShape,
    IndicatorShape,
)
from shared.catalogue.targets import read_targets
from shared.errors import CatalogueError

__all__ = ["CatalogueError", "load_agencies", "load_catalogue", "load_targets"]


def load_catalogue(directory: Path) -> Catalogue:
    """Read and check a catalogue.

    Raises:
        CatalogueError: Anything is wrong; it carries every problem found, one
            line each. The caller keeps the catalogue it has, or does not start.
    """
    if not directory.is_dir():
        raise CatalogueError(
            (f"{directory}: directory: not found; set UPTAKE_CATALOGUE to one",)
        )
    problems = Problems()
    head = read_one(directory, "catalogue.yaml", CatalogueShape, problems)
    tree = read_tree(directory, problems)
    indicators = _read_indicators(directory, problems)
    event_types = _read_event_types(directory, indicators, problems)
    agencies = _read_agencies(directory, indicators, tree, problems)
    populations = read_populations(directory, tree, problems)
    targets = read_targets(directory, indicators, tree, populations, problems)
    if problems.lines or head is None or tree is None or indicators is None:
        raise CatalogueError(problems.lines)
    return Catalogue(
        name=head.shape.name,
        timezone=head.shape.timezone,
        window_days=head.shape.window_days,
        indicators=indicators,
        event_types=event_types,
        tree=tree,
        agencies=agencies,
        targets=targets,
        populations=populations or (),
    )


def load_targets(file: Path, catalogue: Catalogue) -> dict[str, Target]:
    """Read and check one file of targets as if the catalogue had it instead of its own.

    Raises:
        CatalogueError: Anything is wrong, or the file holds no target.
    """
    problems = Problems()
    targets = read_targets(
        file.parent,
        dict(catalogue.indicators),
        catalogue.tree,
        tuple(catalogue.populations),
        problems,
        files=[file.name],
    )
    if not targets and not problems.lines:
        problems.add(file.name, "file", "it holds no target", "write one into it")
    if problems.lines:
        raise CatalogueError(problems.lines)
    return targets


def load_agencies(directory: Path) -> dict[str, Agency]:
    """Read and check the agencies of a catalogue, and what they refer to.

    Targets and event types are not read: a slip there must not keep a key valid that
    was taken away.

    Raises:
        CatalogueError: Anything of it is wrong, or there is no agency at all. The
            caller keeps the agencies that it has.
    """
    problems = Problems()
    tree = read_tree(directory, problems)
    indicators = _read_indicators(directory, problems)
    agencies = _read_agencies(directory, indicators, tree, problems)
    if not agencies and not problems.lines:
        # An agency that may no longer send keeps its file, without keys.
        problems.add("agencies", "directory", "it is empty", "is it mounted?")
    if problems.lines:
        raise CatalogueError(problems.lines)
    return agencies


def _read_indicators(
    directory: Path, problems: Problems
) -> dict[str, Indicator] | None:
    before = len(problems.lines)
    entries = read_many(directory, "indicators.yaml", IndicatorShape, problems)
    check_unique(((entry, entry.shape.id) for entry in entries), "id", problems)
    if len(problems.lines) > before:
        return None
    return {
        shape.id: Indicator(
            id=shape.id,
            name=shape.name,
            name_vi=shape.name_vi,
            measure=shape.measure,
            has_amount=shape.amount,
            unit=shape.unit,
            source=shape.source,
        )
        for shape in (entry.shape for entry in entries)
    }


def _read_event_types(
    directory: Path, indicators: dict[str, Indicator] | None, problems: Problems
) -> dict[str, EventType]:
    entries = read_many(directory, "event_types.yaml", EventTypeShape, problems)
    check_unique(((entry, entry.shape.type) for entry in entries), "type", problems)
    for entry in entries:
        check_event_type(entry, indicators, problems)
    return {
        shape.type: EventType(
            type=shape.type,
            effect=shape.effect,
            indicator=shape.indicator,
            sign=shape.sign or 0,
            amount_only=shape.amount_only,
        )
        for shape in (entry.shape for entry in entries)
    }


def _read_agencies(
    directory: Path,
    indicators: dict[str, Indicator] | None,
    tree: Tree | None,
    problems: Problems,
) -> dict[str, Agency]:
    read = (
        read_one(directory, file, AgencyShape, problems)
        for file in list_folder(directory, "agencies", problems)
    )
    entries = [entry for entry in read if entry is not None]
    check_unique(((entry, entry.shape.id) for entry in entries), "id", problems)
    check_sources(entries, problems)
    check_keys(entries, problems)
    for entry in entries:
        check_scope(entry, indicators, tree, problems)
    return {
        entry.shape.id: _build_agency(entry.shape, indicators or {})
        for entry in entries
    }


def _build_agency(shape: AgencyShape, indicators: dict[str, Indicator]) -> Agency:
    named = indicators if ALL_INDICATORS in shape.indicators else shape.indicators
    return Agency(
        id=shape.id,
        name=shape.name,
        sources=tuple(sorted(shape.sources)),
        indicators=frozenset(named),
        locality=shape.locality,
        kafka=shape.kafka,
        keys=tuple(_build_key(key) for key in shape.keys),
        cadence_hours=shape.cadence,
        required=shape.required,
        limits=AgencyLimits(
            events_per_second=shape.limits.events_per_second,
            burst_events=shape.limits.burst_events,
            body_bytes=shape.limits.body_bytes,
        ),
        cadences=tuple(sorted(shape.cadences.items())),
    )


def _build_key(shape: AgencyKeyShape) -> AgencyKey:
    return AgencyKey(
        id=shape.id,
        sha256=shape.sha256,
        last_day=shape.last_day,
        sources=None if shape.sources is None else tuple(sorted(shape.sources)),
        indicators=None if shape.indicators is None else frozenset(shape.indicators),
        locality=shape.locality,
    )
