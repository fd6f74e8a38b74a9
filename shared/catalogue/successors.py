"""Checks which target takes over from which, once that has ended."""

from collections.abc import Iterable
from datetime import date

from shared.catalogue.files import Entry, Problems
from shared.catalogue.model import Indicator, Measure, Target, Tree
from shared.catalogue.target_shapes import TargetShape


def find_unsucceeded(targets: Iterable[Target], today: date) -> tuple[str, ...]:
    """Name the targets that are over and that no other one takes over from, sorted."""
    known = list(targets)
    succeeded = {one.succeeds for one in known}
    return tuple(
        sorted(one.id for one in known if one.due < today and one.id not in succeeded)
    )


def check_successors(
    entries: Iterable[Entry[TargetShape]],
    tree: Tree | None,
    indicators: dict[str, Indicator] | None,
    problems: Problems,
    *,
    is_whole: bool,
) -> None:
    """Refuse a target that takes over from what it cannot follow.

    Args:
        entries: Of all files.
        tree: None if it could not be read.
        indicators: None if they could not be read.
        problems: Where to note what is wrong.
        is_whole: Whether every entry could be read; an unknown target may be one
            that could not.
    """
    known = list(entries)
    by_id = {entry.shape.id: entry.shape for entry in known}
    successors: dict[str, str] = {}
    for entry in known:
        name = entry.shape.succeeds
        if name is None:
            continue
        before = by_id.get(name)
        if before is None:
            found = (
                (f"target '{name}' is unknown", "correct its name or keep its entry")
                if is_whole
                else None
            )
        elif name in successors:
            found = (
                f"'{successors[name]}' already succeeds '{name}'",
                "keep one successor",
            )
        else:
            found = _find_fault(entry.shape, before, tree, indicators)
        if found is not None:
            wrong, remedy = found
            problems.add(entry.file, entry.place_of("succeeds"), wrong, remedy)
        successors.setdefault(name, entry.shape.id)


def _find_fault(
    shape: TargetShape,
    before: TargetShape,
    tree: Tree | None,
    indicators: dict[str, Indicator] | None,
) -> tuple[str, str] | None:
    if shape.indicator != before.indicator:
        return (
            f"'{before.id}' is about {before.indicator}",
            "name a target of the same indicator",
        )
    if shape.locality != before.locality and not _has_ended(before, tree):
        return (
            f"'{before.id}' is about locality '{before.locality}', which has not ended",
            "name a target of the same locality",
        )
    indicator = None if indicators is None else indicators.get(shape.indicator)
    is_flow = indicator is not None and indicator.measure is Measure.FLOW
    # What a flow brought on the last day would count for both.
    if shape.first_day < before.last_day or (
        is_flow and shape.first_day == before.last_day
    ):
        return (
            f"'{before.id}' is due on {before.last_day}, after this one starts",
            "start when it has ended",
        )
    return None


def _has_ended(shape: TargetShape, tree: Tree | None) -> bool:
    unit = None if tree is None else tree.at(shape.locality, shape.first_day)
    return unit is None or unit.valid_to is not None
