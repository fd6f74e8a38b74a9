"""What an alert says, in English and in Vietnamese.

Plain sentences for now; templates that operators can change come later and will
take the place of this module.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from services.alerting.core.alerts import Kind
from services.alerting.core.forecast_texts import say_chance, say_completion
from services.alerting.core.path import direction
from services.alerting.core.status import FULL_BP, Assessment, Status, basis_points
from services.alerting.core.words import day_in_english, day_in_vietnamese
from shared.catalogue.model import Target


@dataclass(frozen=True, slots=True)
class Names:
    """What a target's indicator and place are called."""

    indicator: str
    indicator_vi: str
    place: str


@dataclass(frozen=True, slots=True)
class Summary:
    """One alert's text in both languages."""

    english: str
    vietnamese: str


class Tense(StrEnum):
    """Whether an alert speaks of what is, of what was, or of what is gone."""

    HOLDS = "holds"
    OVER = "over"
    REMOVED = "removed"


def summarize(
    kind: Kind,
    target: Target,
    names: Names,
    now: Assessment,
    *,
    today: date,
    tense: Tense,
) -> Summary:
    """Say what an alert is about, with the figures that explain it."""
    match tense:
        case Tense.HOLDS:
            english, vietnamese = _sentences(kind, target, names, now, today)
        case Tense.OVER:
            english, vietnamese = _past_sentences(target, names, now, today)
        case Tense.REMOVED:
            english = f"The target {target.id} ({names.place}) is no longer kept."
            vietnamese = f"Chỉ tiêu {target.id} ({names.place}) không còn hiệu lực."
        case _:
            assert_never(tense)
    if target.illustrative:
        english = f"(illustrative) {english}"
        vietnamese = f"(minh họa) {vietnamese}"
    return Summary(english, vietnamese)


def whole(value: Fraction) -> int:
    """Round to the nearest whole number, halves up, for people."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _sentences(
    kind: Kind, target: Target, names: Names, now: Assessment, today: date
) -> tuple[str, str]:
    what, what_vi = _lower_first(names.indicator), _lower_first(names.indicator_vi)
    actual, goal = now.actual, target.goal_value
    due, due_vi = day_in_english(target.due), day_in_vietnamese(target.due)
    match kind:
        case Kind.LAGGING:
            return _lagging(target, names, now, today)
        case Kind.AT_RISK:
            return _at_risk(target, names, now)
        case Kind.MISSED:
            english = (
                f"{names.place} missed its target for {what}: {_count(actual)} on "
                f"{due}, where {_count(goal)} were due."
            )
            vietnamese = (
                f"{names.place} không đạt chỉ tiêu {what_vi}: {_count_vi(actual)} vào "
                f"ngày {due_vi}, chỉ tiêu là {_count_vi(goal)}."
            )
        case Kind.MET:
            english = (
                f"{names.place} has met its target for {what}: {_count(actual)}, "
                f"where {_count(goal)} are due by {due}."
            )
            vietnamese = (
                f"{names.place} đã đạt chỉ tiêu {what_vi}: {_count_vi(actual)}, chỉ "
                f"tiêu là {_count_vi(goal)} đến ngày {due_vi}."
            )
        case _:
            assert_never(kind)
    return english, vietnamese


def _past_sentences(
    target: Target, names: Names, now: Assessment, today: date
) -> tuple[str, str]:
    """Say where a target stands now that an alert about it is over."""
    if now.status is Status.MET:
        return _sentences(Kind.MET, target, names, now, today)
    if now.status is Status.MISSED:
        return _sentences(Kind.MISSED, target, names, now, today)
    what, what_vi = _lower_first(names.indicator), _lower_first(names.indicator_vi)
    place = _ratio(now.position)
    english = (
        f"{names.place} now stands at {_count(now.actual)} for {what}, against "
        f"{_count(whole(now.expected))} due by {day_in_english(today)} "
        f"(position {place})."
    )
    vietnamese = (
        f"{names.place} hiện đạt {_count_vi(now.actual)} {what_vi}, so với "
        f"{_count_vi(whole(now.expected))} cần đạt đến ngày {day_in_vietnamese(today)} "
        f"(vị trí {place.replace('.', ',')})."
    )
    return english, vietnamese


def _lagging(
    target: Target, names: Names, now: Assessment, today: date
) -> tuple[str, str]:
    what, what_vi = _lower_first(names.indicator), _lower_first(names.indicator_vi)
    due_now = whole(now.expected)
    place = _ratio(now.position)
    english = (
        f"{names.place} is behind on {what}: {_count(now.actual)} against "
        f"{_count(due_now)} due by {day_in_english(today)} (position {place})."
    )
    vietnamese = (
        f"{names.place} chậm tiến độ {what_vi}: {_count_vi(now.actual)} so với "
        f"{_count_vi(due_now)} cần đạt đến ngày {day_in_vietnamese(today)} "
        f"(vị trí {place.replace('.', ',')})."
    )
    achieved, required = now.short_pace.achieved_per_day, now.required_per_day
    if achieved is not None and required is not None:
        # Rates are signed towards the goal; people read the change itself.
        sign = direction(target)
        came, needed = whole(sign * achieved), whole(sign * required)
        english += (
            f" The change is {_count(came)} a day, "
            f"{_count(needed)} a day is needed to reach {_count(target.goal_value)} "
            f"by {day_in_english(target.due)}."
        )
        vietnamese += (
            f" Mỗi ngày thay đổi {_count_vi(came)}, cần {_count_vi(needed)} mỗi ngày "
            f"để đạt {_count_vi(target.goal_value)} vào ngày "
            f"{day_in_vietnamese(target.due)}."
        )
    if now.outlook is not None:
        completion, completion_vi = say_completion(now.outlook)
        english = f"{english} {completion}".rstrip()
        vietnamese = f"{vietnamese} {completion_vi}".rstrip()
    return english, vietnamese


def _at_risk(target: Target, names: Names, now: Assessment) -> tuple[str, str]:
    what, what_vi = _lower_first(names.indicator), _lower_first(names.indicator_vi)
    english = (
        f"{names.place} risks missing its target for {what}: "
        f"{_count(now.actual)} so far, {_count(target.goal_value)} are due by "
        f"{day_in_english(target.due)}."
    )
    vietnamese = (
        f"{names.place} có nguy cơ không đạt chỉ tiêu {what_vi}: hiện có "
        f"{_count_vi(now.actual)}, chỉ tiêu là {_count_vi(target.goal_value)} đến ngày "
        f"{day_in_vietnamese(target.due)}."
    )
    if now.outlook is None:
        return english, vietnamese
    chance, chance_vi = say_chance(now.outlook, target.due)
    completion, completion_vi = say_completion(now.outlook)
    return (
        f"{english} {chance} {completion}".rstrip(),
        f"{vietnamese} {chance_vi} {completion_vi}".rstrip(),
    )


def _ratio(ratio: Fraction | None) -> str:
    shown = basis_points(ratio)
    if shown is None:
        return "unknown"
    sign, size = ("-" if shown < 0 else ""), abs(shown)
    return f"{sign}{size // FULL_BP}.{size % FULL_BP // 100:02d}"


def _count(value: int) -> str:
    return f"{value:,}"


def _count_vi(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def _lower_first(name: str) -> str:
    """Make a name fit inside a sentence, unless it begins with an abbreviation."""
    second = name[1:2]
    return name if second.isupper() or second == "-" else name[:1].lower() + name[1:]
