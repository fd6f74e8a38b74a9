"""Nobody is named in an event: whole tokens that look like a person's are found.

A token is a run of letters and digits with anything else, or nothing, on both sides. A
citizen number inside a hash is none. ADR 0017 says what is looked for and what is not.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from services.ingest.core.repeated import RepeatedKey

# Every byte that may be of a digit becomes a 0. Digits of any script count, since input
# methods write wide ones, so whatever is beyond ASCII is one here.
_DIGIT_BYTES: Final = bytes(
    ord("0") if chr(byte) in "0123456789" or byte > ord("\x7f") else ord(" ")
    for byte in range(256)
)
_TEN_DIGITS: Final = b"0" * 10
_DIGITS: Final = re.compile(r"(?<![^\W_])\d{10,12}(?![^\W_])")
# Bounded, and anchored at the @, so that no text takes more than linear time.
_EMAIL: Final = re.compile(r"(?<=[\w.+-])[@＠](?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}")
# The last group of a UUID is a token of twelve, and of one in three thousand UUIDs it
# would be a citizen number. Version and variant are asked for, since a citizen number
# that is filled up with zeros to look like a UUID has neither.
_UUID: Final = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[1-8][0-9A-Fa-f]{3}"
    r"-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
)
_PLAIN_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,19}")

_PHONE_DIGITS: Final = 10
_PHONE_DIGITS_ABROAD: Final = 11
_CITIZEN_DIGITS: Final = 12
_CITIZEN_PROVINCE_MAX: Final = 96


class Personal(StrEnum):
    """What a token looks like, in the words in which the sender is told."""

    CITIZEN = "a citizen's number"
    EMAIL = "an e-mail address"
    PHONE = "a phone number"


def find_personal(event: object) -> str | None:
    """Look for a person in an event: in every text and every name, however deep.

    Args:
        event: A parsed JSON value. Numbers are not looked at: none of the shapes that
            begin with 0 or + can be a JSON number, and no other number of an event
            than a figure within its bounds enters the log.

    Returns:
        What was found where, without any of it; None where nothing was.
    """
    if not _is_suspect("\n".join(_texts(event))):
        return None
    # Told of is the first by name, in whatever order they were sent.
    return min(
        (
            f"{place} holds what looks like {found.value}"
            for place, text in _walk(event)
            if (found := kind_of(text)) is not None
        ),
        default=None,
    )


def kind_of(text: str) -> Personal | None:
    """Tell what a text's first telling token looks like; None: no token tells."""
    if not _is_suspect(text):
        return None
    if _EMAIL.search(text) is not None:
        return Personal.EMAIL
    rest = _UUID.sub("-", text)
    for match in _DIGITS.finditer(rest):
        begin = match.start()
        is_abroad = begin > 0 and rest[begin - 1] in "+＋"
        # The same number in the digits that we compare with.
        digits = "".join(str(int(digit)) for digit in match[0])
        if (kind := _kind_of_digits(digits, is_abroad=is_abroad)) is not None:
            return kind
    return None


def _is_suspect(text: str) -> bool:
    """Tell whether a text is worth a closer look, which nearly none is.

    Asked of every event, so it looks for bytes: five times as fast as a pattern.
    """
    if "@" in text or "＠" in text:
        return True
    return _TEN_DIGITS in text.encode(errors="surrogatepass").translate(_DIGIT_BYTES)


def _kind_of_digits(digits: str, *, is_abroad: bool) -> Personal | None:
    length = len(digits)
    if is_abroad and length == _PHONE_DIGITS_ABROAD and digits.startswith("84"):
        return Personal.PHONE
    # After the 0 of a phone number comes no other 0, but in a counter it does.
    if length == _PHONE_DIGITS and digits[0] == "0" and digits[1] != "0":
        return Personal.PHONE
    if length == _CITIZEN_DIGITS and 1 <= int(digits[:3]) <= _CITIZEN_PROVINCE_MAX:
        return Personal.CITIZEN
    return None


def _texts(event: object) -> list[str]:
    """Collect every text and name, in any order: all that most events ever need."""
    texts: list[str] = []
    waiting = [event]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            texts.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, RepeatedKey):
            texts.append(value.key)
    return texts


def _walk(event: object) -> Iterator[tuple[str, str]]:
    """Yield every text and name with its place, as it may be told to the sender."""
    waiting: list[tuple[str, object]] = [("the event", event)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            for name, member in value.items():
                yield f"a name in {place}", name
                waiting.append((_place_of(place, name), member))
        elif isinstance(value, list):
            waiting.extend((place, member) for member in value)
        elif isinstance(value, RepeatedKey):
            yield f"a name in {place}", value.key


def _place_of(place: str, name: str) -> str:
    """Name a member; a name that is not plainly one might itself tell something."""
    if place == "the event":
        return name if _PLAIN_NAME.fullmatch(name) else "an attribute"
    if place == "data":
        return f"data.{name}" if _PLAIN_NAME.fullmatch(name) else "a member of data"
    return place
