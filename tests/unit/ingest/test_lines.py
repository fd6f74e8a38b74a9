"""A stream cut into lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.lines import Line, LineCutter

LONGEST = 20
PIECES = st.lists(
    st.lists(st.sampled_from([b"\n", b"\r\n", b"a", b" ", b"{}", b"x" * 15])).map(
        b"".join
    )
)


def cut(*pieces: bytes) -> list[tuple[int, bytes | None]]:
    """Cut a whole stream."""
    cutter = LineCutter(LONGEST)
    found: list[Line] = []
    for piece in pieces:
        found += cutter.feed(piece)
        assert len(cutter._begun) <= LONGEST
    found += cutter.finish()
    return [(line.number, line.content) for line in found]


@given(PIECES)
def test_lines_do_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    """However the network cuts a stream, the lines are those of the whole."""
    whole = b"".join(pieces)
    assert cut(*pieces) == cut(whole)
    assert cut(*(bytes((each,)) for each in whole)) == cut(whole)
    assert cut(whole) == [
        (number, line.strip() if len(line) <= LONGEST else None)
        for number, line in enumerate(whole.split(b"\n"), start=1)
        if line.strip() or len(line) > LONGEST
    ]


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"", []),
        (b"\n\r\n \t\n", []),
        (b"a", [(1, b"a")]),
        (b"\xef\xbb\xbfa\nb\r\n", [(1, b"a"), (2, b"b")]),
        (b"a\n\nb\n", [(1, b"a"), (3, b"b")]),
        (b"x" * 20 + b"\nb", [(1, b"x" * 20), (2, b"b")]),
        (b"x" * 21 + b"\nb", [(1, None), (2, b"b")]),
        (b"a\n" + b"x" * 21, [(1, b"a"), (2, None)]),
    ],
)
def test_lines_are_numbered_as_an_editor_shows_them(
    stream: bytes, lines: list[tuple[int, bytes | None]]
) -> None:
    """Blank ones count and are left out; the mark of a file's beginning is none."""
    assert cut(stream) == lines


def test_line_without_end_takes_no_memory() -> None:
    """What is too long is forgotten as it comes, and the next line is read."""
    assert cut(*[b"x" * 1_000] * 1_000, b"\n", b"b") == [(1, None), (2, b"b")]
