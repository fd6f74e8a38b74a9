"""Strings, instants and whole numbers, one by one."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from services.ingest.core.text import (
    RefusedError,
    clean_text,
    echo,
    format_instant,
    json_name,
    parse_day,
    parse_instant,
    whole_number,
)
from shared.errors import RefusalCode

CODE = RefusalCode.BAD_ID


def test_text_keeps_every_letter_of_every_language() -> None:
    """What is not a control character is the sender's business."""
    for text in ("Thanh Hóa", "Thanh Ho\u0301a", "𠀋", "a b", "\u00a0", "\u200d"):
        assert clean_text(text, "id", CODE, 128) == text


@pytest.mark.parametrize("character", [*map(chr, range(0x20)), "\x7f", "\x80", "\x9f"])
def test_text_holds_no_control_character(character: str) -> None:
    """At its end neither, where a pattern may forgive a newline."""
    for text in (f"a{character}b", f"a{character}", character):
        with pytest.raises(RefusedError, match="control character") as caught:
            clean_text(text, "id", CODE, 128)
        assert caught.value.code is CODE


@pytest.mark.parametrize("code_point", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_text_holds_no_half_character(code_point: int) -> None:
    """It could not be written as UTF-8."""
    surrogate = chr(code_point)
    with pytest.raises(RefusedError, match="surrogate"):
        clean_text(f"a{surrogate}", "id", CODE, 128)
    assert echo(f"ế{surrogate}") == f"ế\\u{code_point:x}"


def test_text_has_a_length() -> None:
    """Both bounds belong to it."""
    assert clean_text("x" * 5, "id", CODE, 5) == "xxxxx"
    for text in ("", "x" * 6):
        with pytest.raises(RefusedError, match="1 to 5 characters"):
            clean_text(text, "id", CODE, 5)


def test_instant_comes_out_in_utc_cut_to_microseconds() -> None:
    """The ledger has microseconds, so the rest is cut here and not rounded."""
    instant = parse_instant("2026-11-21T09:00:00.123456999+07:00", "time")
    assert instant == datetime(2026, 11, 21, 2, 0, 0, 123_456, tzinfo=UTC)
    assert instant.tzinfo is UTC


def test_largest_offsets_are_taken() -> None:
    """Up to 23:59 either way, as RFC 3339 has it."""
    for sign, text in ((1, "+23:59"), (-1, "-23:59")):
        offset = timezone(sign * timedelta(hours=23, minutes=59))
        expected = datetime(2026, 1, 2, tzinfo=offset)
        assert parse_instant(f"2026-01-02T00:00:00{text}", "time") == expected


def test_written_instant_reads_back_the_same() -> None:
    """One form, six digits, Z."""
    instant = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    assert format_instant(instant) == "2026-11-21T02:00:00.000000Z"
    assert parse_instant(format_instant(instant), "time") == instant


def test_day_has_one_form() -> None:
    """Other forms of ISO 8601 mean the same to Python and are refused."""
    assert parse_day("2028-02-29", "data.day") == date(2028, 2, 29)
    for text in ("2026-W47-6", "20261121", "2026-11-21\n", "26-11-21", "2026-1-1"):
        with pytest.raises(RefusedError):
            parse_day(text, "data.day")


def test_whole_number_takes_both_bounds() -> None:
    """And nothing beyond them."""
    assert [whole_number(n, "n", CODE, -1, 2) for n in (-1, 0, 2)] == [-1, 0, 2]
    for value in (-2, 3):
        with pytest.raises(RefusedError, match="-1 to 2"):
            whole_number(value, "n", CODE, -1, 2)


def test_wrong_type_is_named_as_json_names_it() -> None:
    """A sender does not speak Python."""
    names = {
        None: "null or absent",
        True: "a boolean",
        7: "an integer",
        1.5: "a number with a fraction or exponent",
        "a": "a string",
    }
    for value, name in names.items():
        assert json_name(value) == name
    assert json_name([]) == "an array"
    assert json_name({}) == "an object"
    with pytest.raises(RefusedError, match="must be an integer, not a boolean"):
        whole_number(value=True, name="n", code=CODE, least=0, most=1)
