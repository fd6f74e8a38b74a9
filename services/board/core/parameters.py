"""Query parameters as the contract wants them: known, given once, well formed.

A parameter that nobody reads is refused: a misspelt one would be left out silently, and
the figures would look like those that were asked for.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final

TEXT_LENGTH_MAX: Final = 128
SHOWN_MAX: Final = 60
CURSOR_LENGTH_MAX: Final = 2_048

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# A space before the offset too: in a query + stands for one, and nothing else is meant.
_INSTANT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d{1,6})?)"
    r"(?:([Zz])|([ +-])((?:[01]\d|2[0-3]):[0-5]\d))",
    re.ASCII,
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class BadParameterError(Exception):
    """A query that cannot be answered; the message is one line for who asked."""


class Parameters:
    """The parameters of one request; each is taken once, and none may be left over."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take the pairs of a query.

        Raises:
            BadParameterError: One is given twice.
        """
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if name in self._values:
                raise BadParameterError(f"{_shown(name)} is given twice")
            self._values[name] = value

    def text(self, name: str) -> str | None:
        """Take a text; None where it is not given.

        Raises:
            BadParameterError: It is empty, too long or holds control characters.
        """
        value = self._values.pop(name, None)
        if value is None:
            return None
        if not 0 < len(value) <= TEXT_LENGTH_MAX or _CONTROL.search(value):
            raise BadParameterError(
                f"{name}: 1 to {TEXT_LENGTH_MAX} characters, none of them a control "
                "character"
            )
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Take one of a few words; None where it is not given.

        Raises:
            BadParameterError: It is none of them.
        """
        value = self._values.pop(name, None)
        if value is not None and value not in choices:
            raise BadParameterError(
                f"{name}: {_shown(value)} is none of {', '.join(choices)}"
            )
        return value

    def flag(self, name: str) -> bool:
        """Take true or false; false where it is not given.

        Raises:
            BadParameterError: It is neither.
        """
        return self.choice(name, ("true", "false")) == "true"

    def day(self, name: str) -> date | None:
        """Take a day like 2026-11-21; None where it is not given.

        Raises:
            BadParameterError: It is no day.
        """
        value = self._values.pop(name, None)
        if value is None:
            return None
        try:
            if _DAY.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass  # Said below, like any other text that is no day.
        raise BadParameterError(
            f"{name}: {_shown(value)} is no day; write it like 2026-11-21"
        )

    def instant(self, name: str) -> datetime | None:
        """Take an RFC 3339 instant, in UTC; None where it is not given.

        Raises:
            BadParameterError: It is none, or lacks its offset.
        """
        value = self._values.pop(name, None)
        if value is None:
            return None
        match = _INSTANT.fullmatch(value)
        try:
            if match is not None:
                day, time, zulu, sign, offset = match.groups()
                tail = "+00:00" if zulu else f"{'-' if sign == '-' else '+'}{offset}"
                return datetime.fromisoformat(f"{day}T{time}{tail}").astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # Said below, like any other text that is no instant.
        raise BadParameterError(
            f"{name}: {_shown(value)} is no instant with offset; write it like "
            "2026-11-21T09:00:00+07:00"
        )

    def number(self, name: str, *, default: int, most: int) -> int:
        """Take a whole number from 1 on.

        Raises:
            BadParameterError: It is none, or too large.
        """
        value = self._values.pop(name, None)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not 1 <= int(value) <= most:
            raise BadParameterError(f"{name}: a whole number from 1 to {most:,}")
        return int(value)

    def cursor(self, length: int) -> tuple[str, ...] | None:
        """Take where the page before ended; None for the first page.

        Args:
            length: How many parts it has.

        Raises:
            BadParameterError: No page of ours ended there.
        """
        value = self._values.pop("cursor", None)
        if value is None:
            return None
        parts = _decode_cursor(value)
        if len(parts) != length or any(_CONTROL.search(part) for part in parts):
            raise BadParameterError(
                "cursor: give back `next` of the page before, as is"
            )
        return parts

    def finish(self) -> None:
        """Say that nothing more is read.

        Raises:
            BadParameterError: Something is left that nobody reads.
        """
        for name in self._values:
            raise BadParameterError(f"there is no parameter {_shown(name)} here")


def encode_cursor(parts: Sequence[str]) -> str:
    """Write where a page ends, as text that may stand in an address."""
    text = json.dumps(list(parts), ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_cursor(text: str) -> tuple[str, ...]:
    if len(text) > CURSOR_LENGTH_MAX:
        return ()
    try:
        padded = text + "=" * (-len(text) % 4)
        read = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return ()
    if not isinstance(read, list) or not all(isinstance(each, str) for each in read):
        return ()
    return tuple(read)


def _shown(text: str) -> str:
    """Show what was sent, cut and without what could not be written."""
    cut = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."
    return repr(cut.encode(errors="backslashreplace").decode())
