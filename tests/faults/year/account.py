"""What was told beside what had to be told, and the table of both."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

from tests.faults.year.receiver import Subject
from tests.support.hasty_truth import Episode, Look, episodes
from tests.support.scripted_year import Province, date_of
from tests.support.year_truth import Told

HEADINGS: Final = (
    "province",
    "alert",
    "expected",
    "raised",
    "over, expected",
    "over",
    "states",
    "records",
    "raised at AM",
    "verdict",
)
RIGHT: Final = "right"
WRONG: Final = "WRONG"


class Notice(NamedTuple):
    """One record of `uptake.alerts`: its id, and what it tells."""

    id: str
    told: Told


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a replay.

    Attributes:
        notices: All records of `uptake.alerts`, but those about risks.
        raises: Instants from which Alertmanager was told of each alert.
        differences: What was seen to be wrong on the way, in words.
        statuses: How many statuses at the ends of days were compared, all the same.
    """

    notices: Sequence[Notice]
    raises: Mapping[Subject, Collection[Look]]
    differences: Sequence[str]
    statuses: int


@dataclass(frozen=True, slots=True)
class Account:
    """The comparison.

    Attributes:
        rows: Of the table.
        right: Transitions told as expected.
        expected: Transitions expected.
        duplicates: Of what was told under another id, or raised again at Alertmanager.
        repeats: Records told again under their own id, as they may be after a kill.
        differences: Whatever is wrong, in words.
    """

    rows: Sequence[Sequence[str]]
    right: int
    expected: int
    duplicates: int
    repeats: int
    differences: Sequence[str]


def settle(
    year: Sequence[Province], expected: Mapping[str, Sequence[Told]], outcome: Outcome
) -> Account:
    """Compare.

    Args:
        year: The provinces, in the order of the table.
        expected: What had to be told, by province's code.
        outcome: What was.
    """
    wanted = set(chain.from_iterable(expected.values()))
    found = {notice.told for notice in outcome.notices}
    ids = _ids(outcome.notices)
    again = sum(len(each) - 1 for each in ids.values())
    differences = [
        *outcome.differences,
        *(f"not told: {_words(told)}" for told in sorted(wanted - found)),
        *(f"told in vain: {_words(told)}" for told in sorted(found - wanted)),
    ]
    raised = {
        (Subject(each.kind, each.subject), each.raised)
        for each in episodes(wanted | found)
    }
    extra = [
        f"raised at Alertmanager, and by nobody else: {subject} at {_instant(look)}"
        for subject, looks in outcome.raises.items()
        for look in looks
        if (subject, look) not in raised
    ]
    return Account(
        rows=[
            row
            for province in year
            for row in _rows(province, expected[province.code], outcome, ids)
        ],
        right=len(wanted & found),
        expected=len(wanted),
        duplicates=again + len(extra),
        repeats=len(outcome.notices) - sum(len(each) for each in ids.values()),
        differences=[*differences, *extra],
    )


def render_table(rows: Sequence[Sequence[str]]) -> str:
    """Write the table down, a line per alert."""
    every = [HEADINGS, *rows]
    widths = [max(len(row[place]) for row in every) for place in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in every
    )


def _ids(notices: Iterable[Notice]) -> dict[tuple[str, str, str, int], set[str]]:
    """Gather under which ids each state of an episode was told."""
    found: dict[tuple[str, str, str, int], set[str]] = defaultdict(set)
    for notice in notices:
        _, target, kind, state, episode, _ = notice.told
        found[target, kind, state, episode].add(notice.id)
    return found


def _rows(
    province: Province,
    expected: Sequence[Told],
    outcome: Outcome,
    ids: Mapping[tuple[str, str, str, int], Collection[str]],
) -> list[Sequence[str]]:
    own = {province.target, province.agency}
    notices = [each for each in outcome.notices if each.told.target in own]
    wanted = {_key(each): each for each in episodes(expected)}
    found = {_key(each): each for each in episodes(each.told for each in notices)}
    name = f"{province.code} {province.character}"
    keys = sorted(
        {**found, **wanted},
        key=lambda key: ({**found, **wanted}[key].raised, key),
    )
    if not keys:
        return [(name, "none", *("-",) * (len(HEADINGS) - 3), RIGHT)]
    return [
        (
            name,
            f"{key[1]} {key[2]}",
            *_spans(wanted.get(key), found.get(key)),
            *_counts(key, expected, notices, ids, outcome),
            _verdict(key, expected, [each.told for each in notices]),
        )
        for key in keys
    ]


_Key = tuple[str, str, int]


def _key(episode: Episode) -> _Key:
    return episode.subject, episode.kind, episode.number


def _spans(wanted: Episode | None, found: Episode | None) -> tuple[str, ...]:
    return (
        "-" if wanted is None else _instant(wanted.raised),
        "-" if found is None else _instant(found.raised),
        "-" if wanted is None else _end(wanted.over),
        "-" if found is None else _end(found.over),
    )


def _counts(
    key: _Key,
    expected: Iterable[Told],
    notices: Iterable[Notice],
    ids: Mapping[tuple[str, str, str, int], Collection[str]],
    outcome: Outcome,
) -> tuple[str, str, str]:
    """Count states told of those expected, records of them, raises at Alertmanager."""
    subject, kind, number = key
    states = [each.state for each in expected if _is_of(each, key)]
    told = sum((subject, kind, state, number) in ids for state in states)
    records = Counter(each.told for each in notices if _is_of(each.told, key))
    firing = [each for each in records if each.state == "firing"]
    raises = outcome.raises.get(Subject(kind, subject), ())
    heard = sum(Look(each.day, each.minute) in raises for each in firing)
    return f"{told} of {len(states)}", str(records.total()), str(heard or "away")


def _is_of(told: Told, key: _Key) -> bool:
    return (told.target, told.kind, told.episode) == key


def _verdict(key: _Key, expected: Iterable[Told], found: Iterable[Told]) -> str:
    wanted = {each for each in expected if _is_of(each, key)}
    return RIGHT if wanted == {each for each in found if _is_of(each, key)} else WRONG


def _words(told: Told) -> str:
    at = _instant(Look(told.day, told.minute))
    return f"{told.target} {told.kind} {told.episode} {told.state} at {at}"


def _instant(look: Look) -> str:
    clock = f"{look.minute // 60:02}:{look.minute % 60:02}"
    return f"{date_of(look.day)} {clock}"


def _end(look: Look | None) -> str:
    return "still on" if look is None else _instant(look)
