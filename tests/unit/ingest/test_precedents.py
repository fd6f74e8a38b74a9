"""A precedent holds for what is like it, under the same rules, and for nothing else."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from services.ingest.core.admission import Admitted, Door, Refusal
from services.ingest.core.json_text import EventBounds
from services.ingest.core.precedents import PlainEvent, Precedents
from services.ingest.wire.plain import read_event
from tests.unit.ingest.doors import BANK, NOON, SHOP, make_door, make_event

BOUNDS = EventBounds(bytes_max=2_048, nesting_max=5)


def with_precedent(event: PlainEvent, door: Door) -> Precedents:
    """Remember what an event is like."""
    precedents = Precedents()
    assert isinstance(precedents.open(door).admit(event), Admitted)
    assert isinstance(precedents.open(door).admit(event), bytes)
    return precedents


def plain(**changes: str) -> PlainEvent:
    """Return an ordinary event with changes, as it is read."""
    text = json.dumps(make_event(**changes), ensure_ascii=False)
    event = read_event(text.encode(), BOUNDS)
    assert isinstance(event, PlainEvent)
    return event


@pytest.mark.parametrize(
    "other",
    [
        make_door(SHOP),
        make_door(replace(BANK, locality="04")),
        make_door(now=NOON + timedelta(days=70)),
        make_door(now=NOON - timedelta(days=1)),
    ],
    ids=["agency", "binding of a key", "day, later", "day, earlier"],
)
def test_precedent_of_another_holds_for_nobody(other: Door) -> None:
    """With the catalogue under which the precedent was made."""
    event, door = plain(), make_door()
    precedents = with_precedent(event, door)
    opened = precedents.open(replace(other, catalogue=door.catalogue))
    assert isinstance(opened.admit(event), Refusal)


def test_precedent_holds_under_its_catalogue_only() -> None:
    """What a catalogue lacks is refused from the first request on."""
    event, door = plain(), make_door()
    precedents = with_precedent(event, door)
    without = replace(door.catalogue, indicators={})
    opened = precedents.open(replace(door, catalogue=without))
    assert isinstance(opened.admit(event), Refusal)


@pytest.mark.parametrize(
    "changes",
    [{"id": "a\x7f"}, {"id": "001090012345"}, {"subject": "0912345678"}],
    ids=["control character", "person", "person beside it"],
)
def test_precedent_makes_no_id_clean(changes: dict[str, str]) -> None:
    """However ordinary the rest of the event is."""
    door = make_door()
    opened = with_precedent(plain(), door).open(door)
    assert isinstance(opened.admit(plain(**changes)), Refusal)
