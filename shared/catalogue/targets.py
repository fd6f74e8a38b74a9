"""Reads the targets of a catalogue and checks each of them, and what they refer to."""

from collections.abc import Sequence
from pathlib import Path

from shared.catalogue.checks import check_code, check_indicator, check_unique
from shared.catalogue.files import Entry, Problems, list_folder, read_many
from shared.catalogue.goals import Populations, build_target
from shared.catalogue.model import (
    Indicator,
    LocalityKey,
    Measure,
    Population,
    Target,
    Tree,
)
from shared.catalogue.successors import check_successors
from shared.catalogue.target_shapes import TargetShape

FOLDER = "targets"


def read_targets(
    directory: Path,
    indicators: dict[str, Indicator] | None,
    tree: Tree | None,
    populations: tuple[Population, ...] | None,
    problems: Problems,
    *,
    files: Sequence[str] | None = None,
) -> dict[str, Target]:
    """Read the targets that are right, by id.

    Args:
        directory: What the names of files are relative to.
        indicators: Of the catalogue; None where they are wrong.
        tree: The same.
        populations: The same.
        problems: Gets what is wrong.
        files: To read; those of the folder of targets where not given.
    """
    before = len(problems.lines)
    if files is None:
        files = list_folder(directory, FOLDER, problems)
    entries = [
        entry
        for file in files
        for entry in read_many(directory, file, TargetShape, problems)
    ]
    is_whole = len(problems.lines) == before
    check_unique(((entry, entry.shape.id) for entry in entries), "id", problems)
    known = None if populations is None else Populations(populations)
    targets = {}
    for entry in entries:
        shape = entry.shape
        check_indicator(entry, "indicator", shape.indicator, indicators, problems)
        check_target(entry, problems)
        measure = _find_measure(entry, indicators, problems)
        key = find_unit(entry, tree, problems)
        if key is None or known is None:
            continue
        target = build_target(entry, key, measure, known, problems)
        if target is not None:
            targets[target.id] = target
    check_successors(entries, tree, indicators, problems, is_whole=is_whole)
    return targets


def check_target(entry: Entry[TargetShape], problems: Problems) -> None:
    """Refuse a target that contradicts itself or names no source."""
    shape = entry.shape
    found: list[tuple[str, str, str]] = []
    if shape.last_day <= shape.first_day:
        found.append(
            ("due", f"{shape.due} is not after start.date", "give a later date")
        )
    if shape.behind.leave < shape.behind.enter:
        found.append(
            ("behind", "leave is below enter", "make leave at least as high as enter")
        )
    if shape.issued_by is None and not shape.illustrative:
        found.append(
            (
                "issued_by",
                "a target without a source",
                "name who issued it, or write illustrative: true",
            )
        )
    for place, wrong, remedy in found:
        problems.add(entry.file, entry.place_of(place), wrong, remedy)


def find_unit(
    entry: Entry[TargetShape], tree: Tree | None, problems: Problems
) -> LocalityKey | None:
    """Find the one unit that bears the code from start to due."""
    shape = entry.shape
    if not check_code(entry, shape.locality, tree, problems) or tree is None:
        return None
    place = entry.place_of("locality")
    locality = tree.at(shape.locality, shape.first_day)
    if locality is None:
        problems.add(
            entry.file,
            place,
            f"locality '{shape.locality}' does not exist on {shape.first_day}",
            "start the target when it does",
        )
        return None
    if locality.valid_to is not None and locality.valid_to <= shape.last_day:
        problems.add(
            entry.file,
            place,
            f"locality '{shape.locality}' ends on {locality.valid_to}: a target "
            "whose unit changes borders between start and due is refused",
            "end it before that day and write a successor",
        )
        return None
    return locality.key


def _find_measure(
    entry: Entry[TargetShape],
    indicators: dict[str, Indicator] | None,
    problems: Problems,
) -> Measure:
    """Tell whether the target is about a level or about what comes in a time."""
    shape = entry.shape
    indicator = None if indicators is None else indicators.get(shape.indicator)
    if indicator is None:
        # The indicator's own line is told already.
        return Measure.STOCK if shape.period is None else Measure.FLOW
    if shape.period is not None and indicator.measure is Measure.STOCK:
        problems.add(
            entry.file,
            entry.place_of("period"),
            f"indicator '{indicator.id}' is a stock: its level has no period",
            "give start and due instead",
        )
    return indicator.measure
