"""Unpacking piece by piece beside unpacking at once."""

import gzip
import sys
import zlib
from collections.abc import Iterable
from typing import Final

from services.ingest.wire.encodings import (
    PIECE_BYTES_MAX,
    RATIO_FLOOR_BYTES,
    Unpacking,
)
from services.ingest.wire.problems import ProblemError
from tests.fuzz.inputs import pieces_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RATIO_MAX: Final = 200
ENCODINGS: Final = ("gzip", "zstd", "identity", "x-gzip")


def unpack(data: bytes) -> None:
    """What packed bytes unpack to is the same in pieces, and is bounded.

    Raises:
        AssertionError: It is not.
    """
    encoding, packed = ENCODINGS[data[0] % 4] if data else "gzip", data[1:]
    whole = _unpacked(encoding, [packed])
    parts = _unpacked(encoding, pieces_of(packed))
    if "unpacks-too-far" in (whole, parts):
        # How far is too far is asked of what has come so far.
        return
    if encoding == "zstd" and "damaged-encoding" in (whole, parts):
        # Of blocks that hold nothing the library takes some only in a frame that comes
        # at once, and others only in one that does not. Nobody packs so.
        _check_honest_frames(packed)
        return
    assert whole == parts
    expected = _at_once(encoding, packed)
    if expected is None:
        assert whole == "damaged-encoding"
    elif whole == "damaged-encoding":
        # The standard library leaves zeros after the last member aside, and takes an
        # empty text for no members.
        assert not packed or packed.endswith(b"\0"), expected
    else:
        assert whole == expected


def _check_honest_frames(plain: bytes) -> None:
    """What the library packed is taken however it comes."""
    packed = zstd.compress(plain)
    assert _unpacked("zstd", [packed]) == plain
    assert _unpacked("zstd", pieces_of(packed)) == plain


def _unpacked(encoding: str, pieces: Iterable[bytes]) -> bytes | str:
    unpacking = Unpacking(encoding, ratio_max=RATIO_MAX)
    found = bytearray()
    fed = 0
    try:
        for piece in pieces:
            fed += len(piece)
            for plain in unpacking.feed(piece):
                assert len(plain) <= max(PIECE_BYTES_MAX, len(piece))
                found += plain
                assert len(found) <= max(RATIO_FLOOR_BYTES, RATIO_MAX * fed)
        unpacking.finish()
    except ProblemError as error:
        return error.slug
    return bytes(found)


def _at_once(encoding: str, packed: bytes) -> bytes | None:
    if encoding == "identity":
        return packed
    try:
        if encoding == "zstd":
            return zstd.decompress(packed)
        return gzip.decompress(packed)
    except (zstd.ZstdError, EOFError, OSError, zlib.error):
        return None
