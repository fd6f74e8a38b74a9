"""Write the corpus's beginnings, from the events of which golden files are kept.

`python -m tests.fuzz.seeds` writes them; what the fuzzers found stands beside them and
is left as it is.
"""

import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tests.contract.wire_records import EVENTS
from tests.fuzz.harnesses import CORPUS
from tests.unit.ingest.doors import make_event

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SHORT: Final = {
    name.removeprefix("adoption_v1_"): event for name, event in EVENTS.items()
}


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield each seed with its name: the harness, then what it is."""
    for name, event in SHORT.items():
        text = _text(event)
        yield f"json/{name}", text
        yield f"ways/{name}", text + b"\n"
        yield f"request/binary_{name}", _binary(event, b"ce-", b"")
        yield f"submission/binary_{name}", _binary(event, b"ce_", b"")
        yield f"door/binary_{name}", _binary(event, b"ce-", b"dry_run=true")
    yield from _of_json()
    yield from _of_ways()
    yield from _of_packing()


def write(folder: Path) -> None:
    """Write every seed below a folder."""
    for name, content in seeds():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _of_json() -> Iterator[tuple[str, bytes]]:
    yield "json/indented_batch", json.dumps(list(SHORT.values()), indent=1).encode()
    yield "json/odd_numbers", b"[1e999, -0, 0.0, 1E-2, 18446744073709551616]"
    yield "json/repeated_key", b'[{"a": 1, "b": [], "a": {"c": 1, "c": 2}}]'
    yield "json/deep", b"[" + b"[" * 7 + b"]" * 7 + b"]"
    yield "json/escapes", rb'["\ud83d\ude00", "\ud800", "\u0000", "\/\b\f\n\r\t"]'
    yield "json/no_numbers", b"[NaN, Infinity, -Infinity]"
    yield "lines/few", b"\xef\xbb\xbfa\r\n\n  b \nlonger than any line may be\nlast"


def _of_ways() -> Iterator[tuple[str, bytes]]:
    one, lines = _text(make_event()), b"\n".join(map(_text, SHORT.values()))
    batch = b"[" + b",".join(map(_text, SHORT.values())) + b"]"
    long_id = make_event(id="ế" * 120, subject="ệ" * 110)
    yield "ways/all", lines
    yield "ways/not_events", b'7\n[]\n{"a":1,"a":2}\n{"id":null}\n"x"\n{\n\xff\n'
    yield "ways/wide", json.dumps(long_id, ensure_ascii=False).encode()
    yield "request/batch", _head(b"cloudevents-batch+json") + batch
    yield (
        "request/charset",
        _head(b'json; charset="utf-8"', b"ce-id: %e1%ba%bf") + b"{}",
    )
    yield "request/data_twice", _head(b"json", b"ce-data: abc", b"ce-id: a") + b"{}"
    yield "request/deep_data", _head(b"json", b"ce-id: a") + b"[[[[[1]]]]]"
    yield "request/quoted", _head(b"json", rb'ce-id: "a\"b%20c"', b"ce-time: x") + b"1"
    for harness in ("request", "door", "submission"):
        yield f"{harness}/structured", _head(b"cloudevents+json") + one
    yield "submission/data_twice", _head(b"json", b"ce_data: abc", b"ce_id: a") + b"{}"
    yield "submission/null", b"null\nce_id: a\nce_time\n\n"
    yield "door/batch", b"atomic=true" + _head(b"cloudevents-batch+json") + batch
    yield "door/stream", _head(b"x-ndjson") + lines
    packed = _head(b"cloudevents-batch+json", b"content-encoding: gzip")
    yield "door/gzip", packed + gzip.compress(batch, mtime=0)
    yield "door/query", b"dry_run=True&atomic=&x=%00" + _head(b"json") + one


def _of_packing() -> Iterator[tuple[str, bytes]]:
    text = _text(make_event())
    yield "unpacking/gzip", b"\0" + gzip.compress(text, mtime=0)
    yield "unpacking/two_members", b"\0" + 2 * gzip.compress(b"ab", mtime=0)
    yield "unpacking/zstd", b"\1" + zstd.compress(text)
    yield "unpacking/two_frames", b"\1" + 2 * zstd.compress(b"ab")
    yield (
        "unpacking/skippable_frame",
        b"\1\x50\x2a\x4d\x18\2\0\0\0xx" + zstd.compress(b"a"),
    )
    yield "unpacking/plain", b"\2" + text
    yield "unpacking/bomb", b"\0" + gzip.compress(bytes(400_000), mtime=0)


def _text(event: object) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _head(kind: bytes, *lines: bytes) -> bytes:
    return b"\n".join([b"", b"content-type: application/" + kind, *lines, b"", b""])


def _binary(event: dict[str, object], prefix: bytes, first: bytes) -> bytes:
    fields: Iterable[bytes] = (
        prefix + name.encode() + b": " + quote(str(value)).encode()
        for name, value in event.items()
        if name != "data"
    )
    return first + _head(b"json", *fields) + _text(event["data"])


if __name__ == "__main__":
    write(CORPUS)
