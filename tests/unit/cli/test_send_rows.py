"""Rows become events: what cells mean, and what cannot be said as an event."""

from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from services.cli.send_columns import (
    Attribute,
    fold_name,
    match_columns,
    parse_mapping,
)
from services.cli.send_files import FileProblemError, Refusal
from services.cli.send_rows import (
    DateOrder,
    Draft,
    RowDefaults,
    map_cloud_event_to_draft,
    map_row_to_draft,
)

DEFAULTS = RowDefaults(
    source="/vn/38/voso",
    type=None,
    indicator="cashless_accounts",
    timezone=ZoneInfo("Asia/Ho_Chi_Minh"),
)
ROW: Mapping[Attribute, object] = {
    Attribute.LOCALITY: "15958",
    Attribute.TIME: "2026-11-03",
    Attribute.COUNT: "1250",
}


def draft(**cells: object) -> Draft:
    """Map a row that is fine, with some cells changed."""
    changed = {Attribute(name): value for name, value in cells.items()}
    made = map_row_to_draft({**ROW, **changed}, DEFAULTS)
    assert isinstance(made, Draft), made
    return made


def refusal(**cells: object) -> Refusal:
    """Map a row that is refused."""
    changed = {Attribute(name): value for name, value in cells.items()}
    made = map_row_to_draft({**ROW, **changed}, DEFAULTS)
    assert isinstance(made, Refusal), made
    return made


def test_row_becomes_an_event_with_its_integers() -> None:
    """Texts of digits become integers; what is absent is left out."""
    assert draft(amount=" 412750 ").event == {
        "specversion": "1.0",
        "source": "/vn/38/voso",
        "type": "uptake.indicator.counted",
        "time": "2026-11-03T12:00:00+07:00",
        "data": {
            "indicator": "cashless_accounts",
            "locality": "15958",
            "count": 1250,
            "amount": 412750,
        },
    }


def test_bare_date_is_noon_in_the_time_zone_and_other_times_are_untouched() -> None:
    """Ingest judges whatever has a time of day, also a naive one."""
    assert draft(time="2026-11-03").event["time"] == "2026-11-03T12:00:00+07:00"
    for text in ("2026-11-03T09:00:00Z", "2026-11-03T09:00:00", "yesterday"):
        assert draft(time=text).event["time"] == text


@pytest.mark.parametrize(
    "text",
    ["412.750,5", "412.750", "412,750", "1e3", "１２", "1 250", "9" * 19, "12.0"],
)
def test_number_that_is_not_plain_digits_is_refused_and_not_guessed(text: str) -> None:
    """Separators mean other things elsewhere, so none is interpreted."""
    refused = refusal(amount=text)
    assert refused.code == "bad_amount"
    assert text[:10] in refused.detail
    assert refusal(count=text).code == "bad_count"


@pytest.mark.parametrize("value", [True, 1.0, [1], {"n": 1}])
def test_json_value_that_is_no_integer_is_refused(value: object) -> None:
    """A float near a count is refused even when it is whole."""
    assert refusal(count=value).code == "bad_count"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-03 09:30", "2026-11-03T09:30:00+07:00"),
        ("2026-11-03 09:30:05", "2026-11-03T09:30:05+07:00"),
        ("2026-11-03 09:30:05.250000", "2026-11-03T09:30:05.250000+07:00"),
    ],
)
def test_day_and_time_of_a_spreadsheet_are_told_in_the_time_zone(
    text: str, instant: str
) -> None:
    """A cell has no offset; with a space between, that is how spreadsheets write."""
    assert draft(time=text).event["time"] == instant


@pytest.mark.parametrize(
    ("text", "order", "instant"),
    [
        ("03/11/2026", DateOrder.DMY, "2026-11-03T12:00:00+07:00"),
        ("3.11.2026", DateOrder.DMY, "2026-11-03T12:00:00+07:00"),
        ("11/3/2026", DateOrder.MDY, "2026-11-03T12:00:00+07:00"),
        ("03-11-2026 9:30", DateOrder.DMY, "2026-11-03T09:30:00+07:00"),
        ("03/11/2026 09:30:05", DateOrder.DMY, "2026-11-03T09:30:05+07:00"),
        ("2026-11-03", DateOrder.MDY, "2026-11-03T12:00:00+07:00"),
    ],
)
def test_order_of_dates_can_be_said(text: str, order: DateOrder, instant: str) -> None:
    """Then they are the same rows as those with the year in front."""
    turned = replace(DEFAULTS, dates=order)
    made = map_row_to_draft({**ROW, Attribute.TIME: text}, turned)
    assert isinstance(made, Draft), made
    assert made.event["time"] == instant
    assert made.content == draft(time=instant).content


@pytest.mark.parametrize(
    "text", ["31/02/2026", "3/11/26", "13/13/2026", "03/11/2026 25:00"]
)
def test_date_that_no_order_can_mean_is_refused(text: str) -> None:
    """No year is completed, no day bent."""
    turned = replace(DEFAULTS, dates=DateOrder.DMY)
    made = map_row_to_draft({**ROW, Attribute.TIME: text}, turned)
    assert isinstance(made, Refusal)
    assert made.code == "bad_time"


def test_day_of_a_statement_is_turned_like_a_time() -> None:
    """It has no time of day."""
    turned = replace(DEFAULTS, dates=DateOrder.DMY)
    made = map_row_to_draft({**ROW, Attribute.DAY: "02/11/2026"}, turned)
    assert isinstance(made, Draft)
    assert made.event["data"] == {
        "indicator": "cashless_accounts",
        "locality": "15958",
        "day": "2026-11-02",
        "count": 1250,
    }


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("412.750", ".", 412_750),
        ("1.412.750", ".", 1_412_750),
        ("412 750", " ", 412_750),
        ("412750", ".", 412_750),
        ("-412,750", ",", -412_750),
        ("412.75", ".", None),
        ("4127.500", ".", None),
        ("412.750,5", ".", None),
        ("412,750", ".", None),
    ],
)
def test_mark_between_thousands_can_be_said(
    text: str, mark: str, amount: int | None
) -> None:
    """Groups have three digits, so a decimal fraction is never taken for them."""
    marked = replace(DEFAULTS, thousands=mark)
    made = map_row_to_draft({**ROW, Attribute.AMOUNT: text}, marked)
    if amount is None:
        assert isinstance(made, Refusal)
    else:
        assert isinstance(made, Draft)
        assert made.content == draft(amount=amount).content


def test_spelling_of_an_instant_changes_no_id() -> None:
    """One instant, three spellings; a naive one is another matter."""
    spellings = (
        "2026-11-03T09:30:00+07:00",
        "2026-11-03T02:30:00Z",
        "2026-11-03 09:30",
    )
    contents = {draft(time=text).content for text in spellings}
    assert len(contents) == 1
    assert draft(time="2026-11-03T09:30:00").content not in contents


@pytest.mark.parametrize("text", ["03/11/2026", "3.11.26", "03-11-2026 08:00"])
def test_date_that_can_be_read_in_two_ways_is_refused(text: str) -> None:
    """Day and month are not guessed."""
    assert refusal(time=text).code == "bad_time"


def test_day_that_does_not_exist_is_refused() -> None:
    """A calendar knows no 30 February."""
    assert refusal(time="2026-02-30").code == "bad_time"


def test_locality_as_json_number_is_refused_for_its_lost_zeros() -> None:
    """01234 is not 1234."""
    assert refusal(locality=1234).code == "bad_locality"


def test_equal_rows_have_equal_content_whatever_their_spelling() -> None:
    """The default count written out is the same content; the id is no part of it."""
    plain = draft(count=None)
    assert draft(count="1", amount="0", id="A-1").content == plain.content
    assert draft(count="2").content != plain.content


def test_type_of_a_row_wins_over_the_defaults() -> None:
    """A row may bring its own type and indicator."""
    event = draft(type="uptake.eid.activated", indicator="eid_accounts").event
    assert event["type"] == "uptake.eid.activated"


def test_row_without_type_and_indicator_is_refused() -> None:
    """Nothing says what is counted."""
    nothing = RowDefaults("/a", None, None, ZoneInfo("UTC"))
    made = map_row_to_draft(ROW, nothing)
    assert isinstance(made, Refusal)
    assert made.code == "bad_type"


def test_cloud_event_keeps_its_source_or_takes_the_default() -> None:
    """`--as` fills in what is missing and replaces nothing."""
    kept = map_cloud_event_to_draft({"source": "/own", "id": "1"}, DEFAULTS)
    filled = map_cloud_event_to_draft({"id": "1"}, DEFAULTS)
    assert isinstance(kept, Draft)
    assert isinstance(filled, Draft)
    assert kept.event["source"] == "/own"
    assert filled.event["source"] == "/vn/38/voso"


@pytest.mark.parametrize(
    "name", ["Mã xã", "MÃ_XÃ", " ma  xa ", "Mã-xã", "Ma\u0303 xa\u0303"]
)
def test_column_names_are_read_without_case_marks_and_separators(name: str) -> None:
    """Composed or not, with or without marks, the column is the same."""
    assert match_columns([name], {}, "x.csv") == {name: Attribute.LOCALITY}


def test_vietnamese_and_english_names_are_known() -> None:
    """The names of EXPERIENCE and their English counterparts."""
    columns = ("Mã xã", "Ngày", "Số lượng", "Tiền", "Chỉ tiêu", "Ghi chú")
    assert list(match_columns(columns, {}, "x.csv").values()) == [
        Attribute.LOCALITY,
        Attribute.TIME,
        Attribute.COUNT,
        Attribute.AMOUNT,
        Attribute.INDICATOR,
    ]
    assert fold_name("Đơn vị") == "don vi"


def test_choice_wins_over_a_column_of_that_name() -> None:
    """With `--map`, a column that looks right is left out."""
    matched = match_columns(
        ["time", "Giao dịch lúc"], {"Giao dịch lúc": "time"}, "x.csv"
    )
    assert matched == {"Giao dịch lúc": Attribute.TIME}


def test_two_columns_that_mean_the_same_are_a_problem() -> None:
    """Neither is preferred in silence."""
    with pytest.raises(FileProblemError, match="both mean time"):
        match_columns(["Ngày", "time"], {}, "x.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["time"], "COLUMN=ATTRIBUTE"),
        (["Ngày=when"], "no attribute 'when'"),
        (["=time"], "COLUMN=ATTRIBUTE"),
    ],
)
def test_malformed_mapping_is_a_problem(options: list[str], message: str) -> None:
    """The message says what is known."""
    with pytest.raises(FileProblemError, match=message):
        parse_mapping(options, None)


def test_column_name_may_hold_an_equals_sign() -> None:
    """The last one divides."""
    assert parse_mapping(["a=b=count"], "Số HĐ") == {"a=b": "count", "Số HĐ": "id"}


def test_chosen_column_that_is_missing_is_a_problem() -> None:
    """The message lists what there is."""
    with pytest.raises(FileProblemError, match='no column "Ngay"; it has "Ngày"'):
        match_columns(["Ngày"], {"Ngay": "time"}, "x.csv")
