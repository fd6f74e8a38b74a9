"""Unpacking gzip and zstd in pieces of bounded size.

A packed body of a few bytes may unpack to gigabytes, so nothing is unpacked further
than somebody is ready to take, and what unpacks to far more than any honest body is
refused.
"""

import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from typing_extensions import override

from services.ingest.core.text import echo_name
from services.ingest.wire.problems import ProblemError

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

PIECE_BYTES_MAX: Final = 64 * 1024
RATIO_FLOOR_BYTES: Final = 256 * 1024
"""Below it no ratio is looked at: a short body of equal rows packs very well."""
WINDOW_LOG_MAX: Final = 23
"""8 MiB, what RFC 9659 allows a zstd body on the web."""
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


class _DamagedError(Exception):
    """The bytes are not what their encoding says."""


class _Unpacker(Protocol):
    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Yield what the bytes unpack to, in pieces of bounded size.

        Raises:
            _DamagedError: They are no such bytes.
        """

    @property
    def is_whole(self) -> bool:
        """Tell whether all that was begun has ended."""


class _Plain(_Unpacker):
    @override
    def feed(self, packed: bytes) -> Iterator[bytes]:
        yield packed

    @property
    @override
    def is_whole(self) -> bool:
        return True


class _Gzip(_Unpacker):
    """One member after another, as RFC 1952 allows."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)

    @override
    def feed(self, packed: bytes) -> Iterator[bytes]:
        try:
            while True:
                if self._member.eof and packed:
                    self._member = zlib.decompressobj(_GZIP_WINDOW)
                piece = self._member.decompress(packed, PIECE_BYTES_MAX)
                yield piece
                if self._member.eof:
                    packed = self._member.unused_data
                    if not packed:
                        return
                else:
                    packed = self._member.unconsumed_tail
                    # A full piece may leave something behind even so.
                    if not packed and len(piece) < PIECE_BYTES_MAX:
                        return
        except zlib.error:
            raise _DamagedError from None

    @property
    @override
    def is_whole(self) -> bool:
        return self._member.eof


class _Zstd(_Unpacker):
    """One frame after another, as RFC 8878 allows."""

    def __init__(self) -> None:
        self._frame = self._new()

    @override
    def feed(self, packed: bytes) -> Iterator[bytes]:
        try:
            while True:
                if self._frame.eof and packed:
                    self._frame = self._new()
                yield self._frame.decompress(packed, PIECE_BYTES_MAX)
                if self._frame.eof:
                    packed = self._frame.unused_data
                    if not packed:
                        return
                else:
                    packed = b""
                    if self._frame.needs_input:
                        return
        except ZstdError:
            raise _DamagedError from None

    @property
    @override
    def is_whole(self) -> bool:
        return self._frame.eof

    @staticmethod
    def _new() -> ZstdDecompressor:
        window: dict[int, int] = {DecompressionParameter.window_log_max: WINDOW_LOG_MAX}
        return ZstdDecompressor(options=window)


_UNPACKERS: Final[Mapping[str, type[_Unpacker]]] = {
    "": _Plain,
    "identity": _Plain,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "zstd": _Zstd,
}
# What a Content-Encoding may be, in any case of its letters.
ENCODINGS: Final = frozenset(_UNPACKERS)


class Unpacking:
    """Unpacks one body.

    Args:
        encoding: The request's Content-Encoding; empty where it has none.
        ratio_max: How many times its own size a body may unpack to.

    Raises:
        ProblemError: 415, the encoding is not taken.
    """

    def __init__(self, encoding: str, *, ratio_max: int) -> None:
        self._name = encoding.strip().lower()
        kind = _UNPACKERS.get(self._name)
        if kind is None:
            raise ProblemError(
                415,
                "content-encoding",
                "The body's encoding is not taken",
                f"content-encoding is {echo_name(self._name)}; send gzip, zstd or "
                "none, once",
                headers={"accept-encoding": "gzip, zstd"},
            )
        self._unpacker = kind()
        self._ratio_max = ratio_max
        self._packed_bytes = 0
        self._plain_bytes = 0

    @property
    def is_plain(self) -> bool:
        """Tell whether the body is as it came."""
        return isinstance(self._unpacker, _Plain)

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Yield what bytes unpack to, in pieces of at most their size or 64 KiB.

        Raises:
            ProblemError: They are damaged, or unpack to too much.
        """
        if not packed:
            # Also said at the end, after which no unpacker takes anything.
            return
        self._packed_bytes += len(packed)
        try:
            for piece in self._unpacker.feed(packed):
                self._plain_bytes += len(piece)
                self._check_ratio()
                if piece:
                    yield piece
        except _DamagedError:
            raise self._damaged(f"it is not {self._name}") from None

    def finish(self) -> None:
        """Take note that the body has ended.

        Raises:
            ProblemError: It should not have.
        """
        if not self._unpacker.is_whole:
            raise self._damaged("it ends too early")

    def _check_ratio(self) -> None:
        most = max(RATIO_FLOOR_BYTES, self._ratio_max * self._packed_bytes)
        if self._plain_bytes > most:
            raise ProblemError(
                413,
                "unpacks-too-far",
                "The body unpacks to too much",
                f"it unpacks to more than {self._ratio_max} times its size; send it "
                "less packed or in smaller pieces",
            )

    def _damaged(self, what: str) -> ProblemError:
        return ProblemError(
            400,
            "damaged-encoding",
            "The body cannot be unpacked",
            f"{what}; it was sent with content-encoding: {self._name}",
        )
