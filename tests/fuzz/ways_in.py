"""The ways in beside one another: the same event has the same verdict in each."""

import json
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from starlette.datastructures import Headers

from services.ingest.core.admission import Refusal
from services.ingest.core.binary_mode import event_of
from services.ingest.core.json_text import EventBounds, parse_event, parse_line
from services.ingest.core.lines import LineCutter
from services.ingest.submissions.decode import decode_submission
from services.ingest.submissions.judge import Submission, judge_submissions
from services.ingest.wire.modes import BatchBounds, Mode, events_of, mode_of
from services.ingest.wire.problems import ProblemError
from shared.errors import RefusalCode
from tests.fuzz.inputs import BATCH_BOUNDS, BOUNDS, Message, decide, message_of, verdict
from tests.unit.ingest.doors import BANK, NOON, make_catalogue

NO_FIELDS: Final = Headers(raw=[])
MANY: Final = BatchBounds(events_max=10_000, event=BOUNDS)
# As a structured event the same attributes are a longer text.
WIDE: Final = EventBounds(bytes_max=1_000_000, nesting_max=BOUNDS.nesting_max)
SLUGS: Final = frozenset(
    {"not-json", "not-a-batch", "empty-batch", "batch-too-long", "media-type"}
    | {"charset"}
)
TOPIC: Final = "uptake.submissions.bank"
_CATALOGUE: Final = make_catalogue()
_PLAIN_VALUE: Final = re.compile(rb"(?:[\x20-\x21\x23\x24\x26-\x7e]|%[0-9A-Fa-f]{2})+")


def compare_ways(data: bytes) -> None:
    """A line, an event, an element of a batch and a record have one verdict.

    Raises:
        AssertionError: They have not.
    """
    lines = data.split(b"\n")
    cutter = LineCutter(BOUNDS.bytes_max)
    kept = {line.number: line for line in [*cutter.feed(data), *cutter.finish()]}
    elements: list[bytes] = []
    expected: list[object] = []
    for number, whole in enumerate(lines, start=1):
        if number not in kept:
            continue
        content = kept[number].content
        of_line = decide(parse_line(content, BOUNDS))
        if content is None:
            content = whole.strip(b" \t\r")
        else:
            _hold_alone(content, verdict(of_line))
        if not isinstance(of_line, Refusal) or _is_json(content):
            elements.append(content)
            expected.append(verdict(of_line))
    if elements:
        body = b"[" + b",".join(elements) + b"]"
        found = list(events_of(Mode.BATCH, body, NO_FIELDS, MANY))
        assert len(found) == len(expected)
        for each, of_each in zip(found, expected, strict=True):
            assert verdict(decide(each)) == of_each


def read_request(data: bytes) -> None:
    """A request's head and body are events or a problem, nothing else.

    Raises:
        AssertionError: They are something else, or binary and structured differ.
    """
    message = message_of(data)
    headers = Headers(raw=message.fields)
    _hold_encoding(message.body)
    problem: ProblemError | None = None
    mode = Mode.STREAM
    raws: list[object] = []
    try:
        mode = mode_of(headers)
        if mode is not Mode.STREAM:
            raws = list(events_of(mode, message.body, headers, BATCH_BOUNDS))
    except ProblemError as error:
        problem = error
    if problem is not None:
        assert problem.slug in SLUGS
        assert problem.detail.isprintable()
        assert problem.response.body
        return
    assert len(raws) <= BATCH_BOUNDS.events_max
    for raw in raws:
        decide(raw)
    if mode is Mode.BINARY:
        _hold_binary(message, raws[0])


def read_submission(data: bytes) -> None:
    """A record of an agency's topic is admitted or refused, and refused fit to tell.

    Raises:
        AssertionError: It is not.
    """
    message = message_of(data)
    headers = tuple((name.decode("latin-1"), raw) for name, raw in message.headers)
    value = message.body if message.first != b"null" else None
    record = Submission(TOPIC, 0, 7, NOON, headers, value)
    judged = judge_submissions([record], BANK, _CATALOGUE, BOUNDS)
    assert len(judged.admitted) + len(judged.refused) == 1
    assert judged == judge_submissions([record], BANK, _CATALOGUE, BOUNDS)
    decide(decode_submission(value, record.headers, BOUNDS))
    for told, kept in judged.refused:
        json.loads(told.model_dump_json())
        json.loads(kept.model_dump_json())


def _hold_alone(content: bytes, expected: object) -> None:
    """Hold an event that comes alone, over HTTP or on a topic, against its line."""
    slug = ""
    raw: object = None
    try:
        (raw,) = events_of(Mode.ONE, content, NO_FIELDS, BATCH_BOUNDS)
    except ProblemError as error:
        slug = error.slug
    of_record = verdict(decide(decode_submission(content, (), BOUNDS)))
    if isinstance(expected, tuple) and expected[1] is RefusalCode.NOT_JSON:
        # What could not be read is called by what it came in.
        assert slug == "not-json"
        assert isinstance(of_record, tuple)
        assert of_record[1] is RefusalCode.NOT_JSON
        return
    assert not slug
    assert verdict(decide(raw)) == expected
    assert of_record == expected


def _hold_binary(message: Message, raw: object) -> None:
    if isinstance(raw, Refusal):
        return
    assert isinstance(raw, dict)
    for name, value in message.fields:
        # Data is the body, whatever a field calls itself.
        is_attribute = name.startswith(b"ce-") and name != b"ce-data"
        if is_attribute and _PLAIN_VALUE.fullmatch(value):
            plain = unquote_to_bytes(value).decode()
            assert raw[name[3:].decode()] == plain
    try:
        text = json.dumps(raw, allow_nan=False)
    except (TypeError, ValueError):
        # An object with a repeated key, or a number beyond a float: none that could
        # be written down again.
        return
    structured = decide(parse_event(text, WIDE))
    assert verdict(structured) == verdict(decide(raw))


def _hold_encoding(body: bytes) -> None:
    """Whatever text a value is, percent-encoded it arrives as it was."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    for safe in ("", "!#$&'()*+,-./:;<=>?@[]^_`{|}~"):
        value = quote(text, safe=safe).encode()
        for sent in (value, b'"' + value + b'"'):
            event = event_of([(b"ce-x", sent)], None)
            assert event == {"x": text}, sent


def _is_json(content: bytes) -> bool:
    try:
        values: Sequence[object] = json.loads(b"[%b]" % content, parse_constant=_no)
    except (ValueError, RecursionError):
        return False
    return len(values) == 1


def _no(name: str) -> None:
    raise ValueError(name)
