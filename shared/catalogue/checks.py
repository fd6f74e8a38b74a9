"""Checks that need more than one entry of the catalogue, or more than one file.

Each adds what it finds to `Problems`. A part that could not be read is None,
and what refers to it is then not judged: one slip must not look like a hundred.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import TypeVar

from shared.catalogue.files import Entry, Problems
from shared.catalogue.model import Effect, Indicator, Tree
from shared.catalogue.shapes import AgencyShape, EventTypeShape, Shape
from shared.catalogue.target_shapes import TargetShape

ALL_INDICATORS = "*"

ShapeT = TypeVar("ShapeT", bound=Shape)


def check_unique(
    named: Iterable[tuple[Entry[ShapeT], str]], field: str, problems: Problems
) -> None:
    """Refuse a name that an earlier entry has."""
    files: dict[str, str] = {}
    for entry, name in named:
        if name in files:
            problems.add(
                entry.file,
                entry.place_of(field),
                f"'{name}' is already in {files[name]}",
                "rename or remove one",
            )
        files.setdefault(name, entry.file)


def check_indicator(
    entry: Entry[ShapeT],
    field: str,
    indicator_id: str,
    indicators: dict[str, Indicator] | None,
    problems: Problems,
) -> None:
    """Refuse an indicator that the catalogue has not."""
    if indicators is None or indicator_id in indicators:
        return
    near = difflib.get_close_matches(indicator_id, indicators, n=3)
    problems.add(
        entry.file,
        entry.place_of(field),
        f"indicator '{indicator_id}' is unknown",
        suggest(near, "add it to indicators.yaml"),
    )


def check_code(
    entry: Entry[AgencyShape] | Entry[TargetShape],
    code: str,
    tree: Tree | None,
    problems: Problems,
) -> bool:
    """Refuse a code that no locality ever bears; tell whether it is right."""
    if tree is None or tree.has_code(code):
        return True
    problems.add(
        entry.file,
        entry.place_of("locality"),
        f"locality '{code}' is unknown",
        suggest(tree.nearest_codes(code), "use a code of localities.csv"),
    )
    return False


def check_event_type(
    entry: Entry[EventTypeShape],
    indicators: dict[str, Indicator] | None,
    problems: Problems,
) -> None:
    """Refuse an event type whose parts do not fit its effect."""
    shape, is_count = entry.shape, entry.shape.effect is Effect.COUNT
    if is_count and shape.sign is None:
        problems.add(
            entry.file, entry.place, "effect count has no sign", "add sign: 1 or -1"
        )
    if not is_count and (shape.sign or shape.indicator or shape.amount_only):
        problems.add(
            entry.file,
            entry.place,
            f"effect {shape.effect} takes no sign, indicator or amount_only",
            "remove them",
        )
    if shape.indicator is None or indicators is None:
        if shape.amount_only and shape.indicator is None:
            problems.add(
                entry.file, entry.place, "amount_only has no indicator", "name one"
            )
        return
    check_indicator(entry, "indicator", shape.indicator, indicators, problems)
    indicator = indicators.get(shape.indicator)
    if shape.amount_only and indicator is not None and not indicator.has_amount:
        problems.add(
            entry.file,
            entry.place,
            f"amount_only, but indicator '{indicator.id}' has no amount",
            "remove amount_only or give the indicator amount: true",
        )


def check_scope(
    entry: Entry[AgencyShape],
    indicators: dict[str, Indicator] | None,
    tree: Tree | None,
    problems: Problems,
) -> None:
    """Refuse what an agency may report for and the catalogue has not."""
    names = entry.shape.indicators
    if ALL_INDICATORS in names and len(names) > 1:
        problems.add(
            entry.file, "indicators", "'*' beside others", "keep one or the other"
        )
    for name in names:
        if name != ALL_INDICATORS:
            check_indicator(entry, "indicators", name, indicators, problems)
    for key in entry.shape.keys:
        for name in key.indicators or ():
            check_indicator(entry, f"keys.{key.id}", name, indicators, problems)
    _check_cadences(entry, indicators, problems)
    if check_code(entry, entry.shape.locality, tree, problems):
        check_bindings(entry, tree, problems)


def _check_cadences(
    entry: Entry[AgencyShape],
    indicators: dict[str, Indicator] | None,
    problems: Problems,
) -> None:
    """Refuse a cadence of an indicator that the agency may not report."""
    names = entry.shape.indicators
    for name in entry.shape.cadences:
        check_indicator(entry, "cadences", name, indicators, problems)
        if name not in names and ALL_INDICATORS not in names:
            problems.add(
                entry.file,
                f"cadences.{name}",
                "the agency does not report this indicator",
                "add it to indicators or remove it here",
            )


def check_sources(entries: list[Entry[AgencyShape]], problems: Problems) -> None:
    """Refuse a source that is, or lies below, one that is already given."""
    owners: dict[str, str] = {}
    for entry in entries:
        for source in entry.shape.sources:
            if source in owners:
                problems.add(
                    entry.file,
                    "sources",
                    f"source '{source}' already belongs to agency '{owners[source]}'",
                    "a source belongs to one agency: keep it in one place",
                )
            owners.setdefault(source, entry.shape.id)
    for entry in entries:
        for source in entry.shape.sources:
            above = source.rpartition("/")[0]
            while above and above not in owners:
                above = above.rpartition("/")[0]
            if above:
                problems.add(
                    entry.file,
                    "sources",
                    f"source '{source}' lies below '{above}' of agency "
                    f"'{owners[above]}'",
                    "give it a path of its own or remove it",
                )


def check_keys(entries: list[Entry[AgencyShape]], problems: Problems) -> None:
    """Refuse a key that is given twice, and key ids that an agency repeats."""
    owners: dict[str, str] = {}
    for entry in entries:
        ids = set()
        for key in entry.shape.keys:
            if key.sha256 in owners:
                problems.add(
                    entry.file,
                    "keys",
                    f"key '{key.id}' has the sha256 of {owners[key.sha256]}",
                    "make a new key",
                )
            if key.id in ids:
                problems.add(
                    entry.file, "keys", f"key id '{key.id}' is repeated", "rename one"
                )
            ids.add(key.id)
            owners.setdefault(
                key.sha256, f"key '{key.id}' of agency '{entry.shape.id}'"
            )


def check_bindings(
    entry: Entry[AgencyShape], tree: Tree | None, problems: Problems
) -> None:
    """Refuse a key that is bound to more than its agency may report."""
    shape = entry.shape
    for key in shape.keys:
        place = entry.place_of(f"keys.{key.id}")
        for source in key.sources or ():
            if not any(
                source == own or source.startswith(f"{own}/") for own in shape.sources
            ):
                problems.add(
                    entry.file,
                    f"{place}.sources",
                    f"source '{source}' is none of the agency's",
                    "give one of its sources or a path below one",
                )
        for name in key.indicators or ():
            if name not in shape.indicators and ALL_INDICATORS not in shape.indicators:
                problems.add(
                    entry.file,
                    f"{place}.indicators",
                    f"indicator '{name}' is none of the agency's",
                    "give it to the agency too or remove it",
                )
        top = key.locality
        if top is None or tree is None or tree.lies_below(top, shape.locality):
            continue
        problems.add(
            entry.file,
            f"{place}.locality",
            f"locality '{top}' does not lie within the agency's '{shape.locality}'",
            "give a code of its subtree",
        )


def suggest(near: Sequence[str], otherwise: str) -> str:
    """Say what may have been meant, or else what to do."""
    return f"did you mean {' or '.join(near)}?" if near else otherwise
