"""Strings, instants and whole numbers as the contract wants them."""

import re
from datetime import UTC, date, datetime
from typing import Final

from services.ingest.core.personal import kind_of
from shared.errors import RefusalCode

# No control characters (C0, DEL, C1) and no lone surrogates.
_CLEAN: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
# Hours and offsets are held to their bounds here: Python takes +07:99 for +08:39, and
# newer versions 24:00 for the next day's 00:00.
_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt](?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d{1,9})?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)
_NAME_SHOWN_MAX: Final = 64
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class RefusedError(Exception):
    """An event cannot be admitted; raised and caught inside this package.

    Attributes:
        code: Why.
        detail: What, where and what to do, for the sender.
    """

    def __init__(self, code: RefusalCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def clean_text(value: object, name: str, code: RefusalCode, length_max: int) -> str:
    """Return a string of 1 to `length_max` characters without control characters."""
    if not isinstance(value, str):
        raise RefusedError(code, f"{name} must be a string, not {json_name(value)}")
    if not 1 <= len(value) <= length_max:
        raise RefusedError(
            code, f"{name} must have 1 to {length_max} characters, not {len(value)}"
        )
    # Nearly every text is plain; to ask so takes a fifth of the time.
    if not (value.isascii() and value.isprintable()) and not _CLEAN.fullmatch(value):
        raise RefusedError(
            code, f"{name} holds a control character or half a character (surrogate)"
        )
    return value


def parse_instant(value: object, name: str) -> datetime:
    """Return an RFC 3339 instant with offset, in UTC, cut to microseconds."""
    if not isinstance(value, str):
        raise RefusedError(
            RefusalCode.BAD_TIME, f"{name} must be a string, not {json_name(value)}"
        )
    match = _INSTANT.fullmatch(value)
    if match is None:
        raise RefusedError(
            RefusalCode.BAD_TIME,
            f"{name} is not an RFC 3339 instant like 2026-11-21T09:00:00+07:00",
        )
    if match[1] is None:
        raise RefusedError(
            RefusalCode.TIME_NAIVE,
            f"{name} has no offset from UTC; append one, e.g. +07:00",
        )
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RefusedError(
            RefusalCode.BAD_TIME, f"{name} names no instant that exists"
        ) from None


def parse_day(value: object, name: str) -> date:
    """Return a calendar day written as YYYY-MM-DD."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise RefusedError(RefusalCode.BAD_DAY, f"{name} must be a day like 2026-11-21")


def whole_number(
    value: object, name: str, code: RefusalCode, least: int, most: int
) -> int:
    """Return an integer within bounds; 1.0, true and "1" are none."""
    if type(value) is not int:
        raise RefusedError(code, f"{name} must be an integer, not {json_name(value)}")
    if not least <= value <= most:
        raise RefusedError(code, f"{name} must be {least:,} to {most:,}")
    return value


def format_instant(instant: datetime) -> str:
    """Write an instant in the one form that the log uses: UTC, microseconds."""
    # Ten times as fast as strftime, and said for each event.
    return f"{instant.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def echo(text: str) -> str:
    """Make a sender's text fit for an answer; half a character becomes its escape."""
    return text.encode(errors="backslashreplace").decode()


def echo_name(text: str) -> str:
    """Make a sender's name of something fit for one line that is told and kept.

    Asked about persons as it will be read: a part of a long number may look like one
    of theirs, and so may what is left when its neighbour is escaped.
    """
    name = text[:_NAME_SHOWN_MAX]
    if not name.isprintable():
        name = ascii(name)
    return name if kind_of(name) is None else "(not repeated)"


_JSON_NAMES: Final = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number with a fraction or exponent"),
    (str, "a string"),
    (list, "an array"),
)


def json_name(value: object) -> str:
    """Name the JSON type of a value."""
    if value is None:
        return "null or absent"
    # bool comes before int, of which it is a kind.
    for kind, name in _JSON_NAMES:
        if isinstance(value, kind):
            return name
    return "an object"
