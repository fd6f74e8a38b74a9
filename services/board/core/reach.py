"""What an agency's key may be told of figures: its indicators, in its subtree.

The same rule as at the door, by which the key may send (ADR 0018): a unit is within if
it lies in the subtree that bears the key's code on the day in question.
"""

from dataclasses import replace
from datetime import date
from typing import TypeVar

from services.board.core.callers import Beyond, NotYoursError
from services.board.core.questions import (
    AlertsQuestion,
    Reach,
    SeriesQuestion,
    TargetsQuestion,
    TotalsQuestion,
)
from shared.catalogue.model import Agency, Locality, LocalityKey, LocalityKind, Tree

LevelsT = TypeVar("LevelsT", TotalsQuestion, SeriesQuestion)
RowsT = TypeVar("RowsT", TargetsQuestion, AlertsQuestion)


def narrow_levels(
    question: LevelsT, agency: Agency | None, tree: Tree, day: date
) -> LevelsT:
    """Narrow a question about one unit to what a key may be told.

    Args:
        question: As it was asked; without a unit it means the top of the subtree.
        agency: No wider than its key; None is told everything.
        tree: Says what lies where.
        day: Whose borders the question means.

    Raises:
        NotYoursError: It asks for another indicator, or for a unit elsewhere.
    """
    if agency is None:
        return question
    code = question.locality or agency.locality
    _check_indicator(agency, question.indicator)
    _check_locality(agency, tree, code, day)
    return replace(question, locality=code, reach=Reach(_indicators(agency)))


def narrow_rows(
    question: RowsT, agency: Agency | None, tree: Tree, today: date
) -> RowsT:
    """Narrow a question about targets or alerts to what a key may be told.

    Alerts about agencies are told of the key's own agency only, and where the key is
    bound to no less than that agency's subtree: they sum up all of it.

    Args:
        question: As it was asked.
        agency: No wider than its key; None is told everything.
        tree: Says what lies where.
        today: The local day, whose borders count.

    Raises:
        NotYoursError: It asks for another indicator, or for a unit elsewhere.
    """
    if agency is None:
        return question
    if isinstance(question, TargetsQuestion):
        _check_indicator(agency, question.indicator)
    if question.locality is not None:
        _check_locality(agency, tree, question.locality, today)
    units = _units_below(tree, agency.locality, today)
    return replace(question, reach=Reach(_indicators(agency), units, agency.id))


def may_see(
    agency: Agency,
    tree: Tree,
    *,
    indicator: str | None,
    unit: LocalityKey | None,
    day: date | None,
) -> bool:
    """Tell whether a key may be told the figures of one ledger row.

    Args:
        agency: No wider than its key.
        tree: Says what lies where.
        indicator: Of the row; None where it has no figures.
        unit: The leaf that it counts for; None where it counts for none.
        day: Its local day.
    """
    if indicator is not None and indicator not in agency.indicators:
        return False
    if unit is None or day is None:
        return True
    return tree.is_within(unit, agency.locality, day)


def _check_indicator(agency: Agency, indicator: str | None) -> None:
    if indicator is not None and indicator not in agency.indicators:
        raise NotYoursError(
            Beyond.INDICATOR,
            f"this key may read {', '.join(_indicators(agency))}, and not {indicator}",
        )


def _check_locality(agency: Agency, tree: Tree, code: str, day: date) -> None:
    if _is_nation(tree.at(agency.locality, day)):
        # Nothing lies elsewhere, and what is nowhere is told as that.
        return
    unit = tree.at(code, day)
    if unit is None or not tree.is_within(unit.key, agency.locality, day):
        raise NotYoursError(
            Beyond.LOCALITY,
            f"this key may read {agency.locality} and what lies below it; {code} does "
            f"not on {day}",
        )


def _indicators(agency: Agency) -> tuple[str, ...]:
    return tuple(sorted(agency.indicators))


def _is_nation(unit: Locality | None) -> bool:
    return unit is not None and unit.kind is LocalityKind.NATION


def _units_below(tree: Tree, top: str, day: date) -> tuple[LocalityKey, ...] | None:
    """List a subtree, past units of it included; None for all there is."""
    unit = tree.at(top, day)
    if unit is None:
        return ()
    if _is_nation(unit):
        return None
    found, level = [unit.key], [unit.key]
    while level:
        level = [child for key in level for child in tree.children(key)]
        found += level
    return tuple(found)
