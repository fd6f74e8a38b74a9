"""Unpacking within bounds."""

import random
import sys
import zlib
from collections.abc import Callable, Iterator

import pytest

from services.ingest.wire.encodings import PIECE_BYTES_MAX, Unpacking
from services.ingest.wire.problems import ProblemError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1024 * 1024


def gzip(plain: bytes) -> bytes:
    """Pack as gzip does."""
    return zlib.compress(plain, wbits=31)


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip, "zstd": zstd.compress}
NOISE = random.Random(7).randbytes(300_000)  # noqa: S311 -- the same at every run


def unpack(
    encoding: str, packed: bytes, *, piece: int = 10_000, ratio_max: int = 200
) -> Iterator[bytes]:
    """Unpack a body that comes in pieces."""
    unpacking = Unpacking(encoding, ratio_max=ratio_max)
    for at in range(0, len(packed), piece):
        yield from unpacking.feed(packed[at : at + piece])
        assert list(unpacking.feed(b"")) == []
    unpacking.finish()


@pytest.mark.parametrize("encoding", sorted(PACKERS))
@pytest.mark.parametrize("plain", [b"", b"x", b"x" * 80_000, NOISE, b" " * 65_536])
@pytest.mark.parametrize("piece", [1_000_000, 777])
def test_packed_body_is_what_it_was(encoding: str, plain: bytes, piece: int) -> None:
    """However it is cut, in one part or in several, in pieces of bounded size."""
    packed = PACKERS[encoding](plain)
    for times in (1, 3):
        pieces = list(unpack(encoding.upper(), packed * times, piece=piece))
        assert b"".join(pieces) == plain * times
        assert all(0 < len(each) <= PIECE_BYTES_MAX for each in pieces)


@pytest.mark.parametrize("encoding", ["", "identity", " identity "])
def test_plain_body_is_passed_on(encoding: str) -> None:
    """As it comes."""
    assert list(unpack(encoding, b"abc", piece=2)) == [b"ab", b"c"]


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd,gzip", "*"])
def test_other_encodings_are_not_taken(encoding: str) -> None:
    """And the answer says which are."""
    with pytest.raises(ProblemError) as caught:
        Unpacking(encoding, ratio_max=10)
    assert caught.value.status == 415
    assert caught.value.headers == {"accept-encoding": "gzip, zstd"}


@pytest.mark.parametrize("encoding", sorted(PACKERS))
def test_damaged_body_is_told_from_a_whole_one(encoding: str) -> None:
    """Cut anywhere, followed by something, or something else altogether."""
    packed = PACKERS[encoding](NOISE)
    changed = bytes((packed[0] ^ 0xFF,)) + packed[1:]
    wrong = (b"", packed[:1], packed[:-1], packed + b"more", b"{}", changed)
    for body in wrong:
        with pytest.raises(ProblemError) as caught:
            list(unpack(encoding, body))
        assert (caught.value.status, caught.value.slug) == (400, "damaged-encoding")


@pytest.mark.parametrize("encoding", sorted(PACKERS))
def test_bomb_is_left_after_a_few_pieces(encoding: str) -> None:
    """Nothing is unpacked beyond what the bytes that came allow."""
    packed = PACKERS[encoding](bytes(64 * MIB))
    got: list[bytes] = []
    with pytest.raises(ProblemError) as caught:
        got.extend(unpack(encoding, packed, piece=1_000))
    assert (caught.value.status, caught.value.slug) == (413, "unpacks-too-far")
    assert len(b"".join(got)) < MIB


def test_zstd_frame_that_wants_a_large_window_is_refused() -> None:
    """It would take 128 MiB before it gave a byte."""
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(NOISE) + packer.flush()
    with pytest.raises(ProblemError, match="400"):
        list(unpack("zstd", packed))
