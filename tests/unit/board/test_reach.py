"""What an agency's key may be told, and what a key that is bound to less may be."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.board.core.callers import Beyond, Caller, NotYoursError, receipts_agency
from services.board.core.questions import (
    EVERYTHING,
    Reach,
    ask_alerts,
    ask_series,
    ask_targets,
    ask_totals,
)
from services.board.core.reach import may_see, narrow_levels, narrow_rows
from shared.catalogue.model import Agency, AgencyKey, LocalityKey
from tests.support.board_doors import (
    BANK,
    BANK_KEY,
    OTHER,
    Ask,
    ExampleBoard,
    ask,
    digest,
    open_board,
    with_keys,
)
from tests.unit.ingest.doors import HOANG_LOC, NATION, REFORM, THANH_HOA, make_catalogue

TREE = make_catalogue().tree
TODAY = date(2026, 11, 21)
OWN = ("cashless_accounts", "ecommerce_transactions")
COMMUNE = replace(BANK, locality="15961")
NATIONWIDE = replace(BANK, locality="VN")
CASHLESS = frozenset({"cashless_accounts"})


def beyond(error: pytest.ExceptionInfo[NotYoursError]) -> Beyond:
    """Return in which way a question went too far."""
    return error.value.beyond


@pytest.mark.parametrize(
    ("agency", "locality", "unit"),
    [
        (BANK, "38", "38"),
        (BANK, "15961", "15961"),
        (BANK, "38-unallocated", "38-unallocated"),
        (BANK, None, "38"),
        (COMMUNE, None, "15961"),
        (NATIONWIDE, None, "VN"),
        (NATIONWIDE, "04", "04"),
        (NATIONWIDE, "99", "99"),
    ],
)
def test_levels_of_the_own_subtree_are_told(
    agency: Agency, locality: str | None, unit: str
) -> None:
    """Without a unit the top of it is meant, for totals as for series."""
    pairs = [] if locality is None else [("locality", locality)]
    totals = narrow_levels(ask_totals(pairs, TODAY), agency, TREE, TODAY)
    assert (totals.locality, totals.reach.indicators) == (unit, OWN)
    pairs.append(("indicator", "cashless_accounts"))
    series = narrow_levels(ask_series(pairs, TODAY), agency, TREE, TODAY)
    assert series.locality == unit


@pytest.mark.parametrize(
    ("agency", "locality"),
    [
        (BANK, "VN"),
        (BANK, "04"),
        (BANK, "01273"),
        (BANK, "VN-unallocated"),
        (BANK, "99"),
        (BANK, "3"),
        (COMMUNE, "38"),
        (COMMUNE, "38-unallocated"),
        (COMMUNE, "16000"),
        (replace(BANK, locality="nowhere"), None),
        (replace(BANK, locality="nowhere"), "38"),
    ],
)
def test_levels_of_another_place_are_refused(
    agency: Agency, locality: str | None
) -> None:
    """Also of one that nobody knows: whether it is there is not told either."""
    pairs = [] if locality is None else [("locality", locality)]
    with pytest.raises(NotYoursError) as refused:
        narrow_levels(ask_totals(pairs, TODAY), agency, TREE, TODAY)
    assert beyond(refused) is Beyond.LOCALITY
    pairs.append(("indicator", "cashless_accounts"))
    with pytest.raises(NotYoursError):
        narrow_levels(ask_series(pairs, TODAY), agency, TREE, TODAY)


def test_a_code_is_that_of_the_day() -> None:
    """Before the unit bore it, the key's code means nothing, or other land."""
    before = date(2025, 6, 30)
    asked = ask_totals([("day", str(before))], TODAY)
    with pytest.raises(NotYoursError):
        narrow_levels(asked, BANK, TREE, before)
    assert narrow_levels(asked, BANK, TREE, REFORM).locality == "38"


@pytest.mark.parametrize("path", ["totals", "series", "targets"])
def test_another_indicator_is_refused(path: str) -> None:
    """And without one only the own ones are told."""
    pairs = [("indicator", "eid_accounts")]

    def narrow() -> object:
        if path == "totals":
            return narrow_levels(ask_totals(pairs, TODAY), BANK, TREE, TODAY)
        if path == "series":
            return narrow_levels(ask_series(pairs, TODAY), BANK, TREE, TODAY)
        return narrow_rows(ask_targets(pairs), BANK, TREE, TODAY)

    with pytest.raises(NotYoursError) as refused:
        narrow()
    assert beyond(refused) is Beyond.INDICATOR


def narrowed(agency: Agency | None, *pairs: tuple[str, str]) -> list[Reach]:
    """Ask for targets and for alerts, and return what may be told of them."""
    return [
        narrow_rows(ask_targets(pairs), agency, TREE, TODAY).reach,
        narrow_rows(ask_alerts(pairs), agency, TREE, TODAY).reach,
    ]


def test_targets_and_alerts_are_those_of_the_own_indicators_and_subtree() -> None:
    """With what lay in it before; of the nation there is nothing to narrow."""
    for reach in (*narrowed(BANK), *narrowed(NATIONWIDE)):
        assert (reach.indicators, reach.agency) == (OWN, "bank")
    for reach in narrowed(BANK):
        assert reach.units is not None
        assert set(reach.units) == {
            THANH_HOA,
            HOANG_LOC,
            LocalityKey("38-unallocated", REFORM),
            LocalityKey("16000", REFORM),
            LocalityKey("16000", date(2026, 11, 1)),
        }
        assert reach.codes == [unit.code for unit in reach.units]
        assert reach.since == [unit.valid_from for unit in reach.units]
    assert {reach.units for reach in narrowed(COMMUNE)} == {(HOANG_LOC,)}
    assert {reach.units for reach in narrowed(NATIONWIDE)} == {None}
    nowhere = replace(BANK, locality="nowhere")
    assert {reach.units for reach in narrowed(nowhere)} == {()}
    assert narrowed(None) == [EVERYTHING, EVERYTHING]


@pytest.mark.parametrize("locality", ["04", "VN", "99"])
def test_targets_and_alerts_of_another_place_are_refused(locality: str) -> None:
    """Rather than an empty list, which would say that there are none."""
    pairs = [("locality", locality)]
    with pytest.raises(NotYoursError):
        narrow_rows(ask_targets(pairs), BANK, TREE, TODAY)
    with pytest.raises(NotYoursError):
        narrow_rows(ask_alerts(pairs), BANK, TREE, TODAY)
    narrowed(BANK, ("locality", "15961"))


def test_reader_is_told_everything() -> None:
    """Nothing of its question is changed."""
    totals = ask_totals([("locality", "99")], TODAY)
    assert narrow_levels(totals, None, TREE, TODAY) is totals


def test_receipts_are_told_of_the_sources_of_the_key() -> None:
    """And of paths below them, segment by segment; every other one is named."""
    caller = Caller("bank", "key-1", BANK)
    assert receipts_agency(caller, ["/vn/38/bank", "/vn/38/bank/branch"]) is BANK
    for sources, index in (
        (["/vn/38/bank", "/vn/38/bank2"], 1),
        (["/vn/38", "/vn/38/bank"], 0),
    ):
        with pytest.raises(NotYoursError) as refused:
            receipts_agency(caller, sources)
        assert (beyond(refused), refused.value.index) == (Beyond.SOURCE, index)
    with pytest.raises(NotYoursError) as refused:
        receipts_agency(Caller("dashboard", "key-1", None), [])
    assert beyond(refused) is Beyond.NOT_AN_AGENCY


@pytest.mark.parametrize(
    ("indicator", "unit", "is_seen"),
    [
        ("cashless_accounts", HOANG_LOC, True),
        ("cashless_accounts", LocalityKey("38-unallocated", REFORM), True),
        ("cashless_accounts", None, True),
        (None, None, True),
        ("eid_accounts", HOANG_LOC, False),
        ("eid_accounts", None, False),
        ("cashless_accounts", LocalityKey("01273", REFORM), False),
        ("cashless_accounts", LocalityKey("VN-unallocated", NATION.valid_from), False),
        ("cashless_accounts", LocalityKey("77777", REFORM), False),
    ],
)
def test_figures_of_an_event_are_those_of_indicators_and_subtree(
    indicator: str | None, unit: LocalityKey | None, *, is_seen: bool
) -> None:
    """Of the unit that it counts for, on its own day."""
    found = may_see(BANK, TREE, indicator=indicator, unit=unit, day=TODAY)
    assert found is is_seen


def board_of(**bound: Any) -> ExampleBoard:  # noqa: ANN401 -- any of a key's fields
    """Build the board for a bank with a wide key and one that is bound to less."""
    wide = AgencyKey("wide", digest("wide"))
    narrow = AgencyKey("narrow", digest(BANK_KEY), **bound)
    return open_board(with_keys(BANK, wide, narrow), OTHER)


def receipts(*sources: str, key: str) -> Ask:
    """Ask for a receipt of each source."""
    events = [{"source": source, "id": "e"} for source in sources]
    body = json.dumps({"events": events}).encode()
    return Ask("/v1/receipts", method="POST", key=key, body=body)


BOUND: list[tuple[dict[str, Any], Ask, str]] = [
    ({"indicators": CASHLESS}, Ask("/v1/series"), "indicator_not_yours"),
    ({"indicators": CASHLESS}, Ask("/v1/totals"), "indicator_not_yours"),
    ({"indicators": CASHLESS}, Ask("/v1/targets"), "indicator_not_yours"),
    ({"locality": "15961"}, Ask("/v1/series"), "locality_not_yours"),
    ({"locality": "15961"}, Ask("/v1/totals"), "locality_not_yours"),
    ({"locality": "15961"}, Ask("/v1/targets"), "locality_not_yours"),
    ({"locality": "15961"}, Ask("/v1/alerts"), "locality_not_yours"),
]


@pytest.mark.parametrize(("bound", "asked", "code"), BOUND, ids=str)
async def test_bound_key_reads_no_more_than_it_is_bound_to(
    bound: dict[str, Any],
    asked: Ask,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Though the other key of the same agency does; the attempt is written down."""
    board = board_of(**bound)
    query = "locality=38"
    if asked.path != "/v1/alerts":
        query += "&indicator=ecommerce_transactions"
    if "locality" not in bound:
        query = query.replace("locality=38&", "")
    wide = await ask(board.app, replace(asked, query=query, key="wide"))
    assert wide.status == 200
    assert len(board.store.asked) == 1
    told = await ask(board.app, replace(asked, query=query, key=BANK_KEY))
    assert told.status == 403
    assert told.json()["type"].endswith(code.replace("_", "-"))
    assert len(board.store.asked) == 1
    (line,) = (vars(r) for r in caplog.records if r.message == "attempt_refused")
    assert (line["agency"], line["key"], line["reason"]) == (
        "bank",
        "narrow",
        "not_yours",
    )
    assert line["codes"] == {code: 1}


@pytest.mark.parametrize("path", ["totals", "series", "targets", "alerts"])
async def test_what_a_bound_key_asks_for_in_general_is_narrowed(path: str) -> None:
    """The store is asked for no more than the key is bound to."""
    board = board_of(indicators=CASHLESS, locality="15961")
    query = "indicator=cashless_accounts" if path == "series" else ""
    asked = Ask(f"/v1/{path}", query=query, key=BANK_KEY)
    assert (await ask(board.app, asked)).status == 200
    (question,) = board.store.asked
    assert question.reach.indicators == ("cashless_accounts",)
    if path in {"totals", "series"}:
        assert question.locality == "15961"
    else:
        assert question.reach.units == (HOANG_LOC,)
    assert (await ask(board.app, replace(asked, key="key-of-a-reader"))).status == 200
    assert board.store.asked[1].reach == EVERYTHING


async def test_bound_key_is_told_receipts_of_its_sources_only() -> None:
    """A branch does not learn what another one sent."""
    board = board_of(sources=("/vn/38/bank/a",))
    for source, status in (
        ("/vn/38/bank/a/till", 200),
        ("/vn/38/bank/b", 403),
        ("/vn/38/bank/ab", 403),
        ("/vn/38/old", 403),
        ("/vn/38/other", 403),
    ):
        told = await ask(board.app, receipts(source, key=BANK_KEY))
        assert told.status == status, source
    for source in ("/vn/38/bank/b", "/vn/38/old"):
        assert (await ask(board.app, receipts(source, key="wide"))).status == 200


@pytest.mark.parametrize("bound", [{"indicators": CASHLESS}, {"locality": "16000"}])
async def test_figures_that_a_key_is_not_bound_to_are_left_out_of_receipts(
    bound: dict[str, Any],
) -> None:
    """The state is told, so that nobody sends again what has counted."""
    board = board_of(**bound)
    figures = ("type", "indicator", "locality", "valid_from", "day", "count", "amount")
    first = {}
    for key in ("wide", BANK_KEY):
        told = await ask(board.app, receipts("/vn/38/bank", key=key))
        first[key] = told.json()["receipts"][0]
    assert first["wide"]["count"] == 1
    assert {first[BANK_KEY][name] for name in figures} == {None}
    assert first[BANK_KEY]["state"] == "counted"
    assert first[BANK_KEY]["offset"] == first["wide"]["offset"]
