"""Cutting a stream of bytes into lines, in constant memory."""

from dataclasses import dataclass
from typing import Final

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank.

    Attributes:
        number: Of the line in the stream, from 1; blank lines count.
        content: Without its end; None where it is longer than what is kept.
    """

    number: int
    content: bytes | None


class LineCutter:
    """Holds no more than the beginning of one line.

    Attributes:
        number: How many lines have ended.
    """

    def __init__(self, line_bytes_max: int) -> None:
        self._bytes_max = line_bytes_max
        self._begun = bytearray()
        self._is_long = False
        self.number = 0

    def feed(self, piece: bytes) -> list[Line]:
        """Take the next bytes; return the lines that end in them."""
        first, *others = piece.split(b"\n")
        self._keep(first)
        if not others:
            return []
        *whole, begun = others
        found = [self._end()]
        for content in whole:
            self.number += 1
            found.append(self._line(content))
        self._keep(begun)
        return [line for line in found if line is not None]

    def finish(self) -> list[Line]:
        """Take what follows the last line end for a line, if there is anything."""
        if not self._begun and not self._is_long:
            return []
        last = self._end()
        return [last] if last is not None else []

    def _keep(self, content: bytes) -> None:
        self._begun += content
        if len(self._begun) > self._bytes_max:
            self._is_long = True
        if self._is_long:
            self._begun.clear()

    def _end(self) -> Line | None:
        self.number += 1
        content, self._begun = bytes(self._begun), bytearray()
        if self._is_long:
            self._is_long = False
            return Line(self.number, None)
        return self._line(content)

    def _line(self, content: bytes) -> Line | None:
        if len(content) > self._bytes_max:
            return Line(self.number, None)
        if self.number == 1:
            # Some programs mark a file as UTF-8 by it.
            content = content.removeprefix(_BYTE_ORDER_MARK)
        content = content.strip(_SPACE)
        return Line(self.number, content) if content else None
