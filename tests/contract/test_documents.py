"""The committed OpenAPI and AsyncAPI documents: made by the code, valid, and true."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from services.ingest.core import admission
from services.ingest.core.admission import Admitted, admit, open_door
from services.ingest.core.receipt import decide
from services.ingest.wire.encodings import ENCODINGS
from shared.catalogue.model import Effect
from shared.errors import RefusalCode, RejectionCode
from shared.events import cloudevent_v1 as sent
from shared.events.asyncapi_examples import PAYLOADS
from shared.events.documents import find_drift, main, render_documents
from shared.events.openapi_examples import EVENTS
from shared.events.topics import TOPICS, agency_topics
from shared.settings import KafkaSettings
from tests.contract.documented import (
    ASYNCAPI,
    DOCUMENTS,
    OPENAPI,
    named,
    stray_members,
    validator,
)
from tests.contract.door_answers import (
    PROJECT,
    Request,
    ask,
    make_door,
    make_settings,
)
from tests.contract.golden_messages import GOLDEN
from tests.unit.ingest.doors import (
    BANK,
    CONTROL,
    COUNTED,
    EVENT_TYPES,
    NOON,
    OPENED,
    REVERSED,
    STATED,
    make_catalogue,
    make_data,
    make_event,
)

DOOR = open_door(make_catalogue(), BANK, NOON)
MIB = 1024 * 1024

VARIANTS = [
    *EVENTS.values(),
    *(make_event(type_) for type_ in (OPENED, COUNTED, STATED, CONTROL, REVERSED)),
    make_event(id="𠀋" * 128, time="2026-11-21t02:00:00.123456789z"),
    make_event(subject="x", datacontenttype="application/json", anything=[1, {}]),
    make_data("uptake.ecommerce.completed", amount=0, count=1_000_000_000),
    make_data(REVERSED, source="/vn/38/old/branch"),
    make_data("uptake.eid.census", count=0, day="2026-11-21"),
]
MISSHAPEN: list[object] = [
    7,
    None,
    [],
    *(make_event(**{name: None}) for name in ("id", "source", "type", "time", "data")),
    make_event(specversion="0.3"),
    make_event(id=""),
    make_event(id="x" * 129),
    make_event(id="tab\there"),
    make_event(id=17),
    make_event(time="2026-11-21T09:00:00"),
    make_event(time="2026-11-21T24:00:00+07:00"),
    make_event(time=1_795_226_400),
    make_event(data=[]),
    make_data(locality=None),
    make_data(locality=15961),
    make_data(cuont=3),
    *(make_data(count=count) for count in (0, -1, 1_000_000_001, "3", True, 1.5)),
    make_data("uptake.ecommerce.completed", amount=-1),
    make_data(CONTROL, count=None),
    make_data(CONTROL, day="21.11.2026"),
    make_data(STATED, count=-1),
    make_data(REVERSED, id=None),
    make_data(REVERSED, time=None),
]
# Members of `data`, right and wrong ones, to be mixed at random.
VALUES: dict[str, list[object]] = {
    "indicator": ["cashless_accounts", "insurance_cards", "", 5],
    "locality": ["15961", "99999", "38-unallocated", "", 15961],
    "count": [0, 1, 7, -1, 1.5, True, "3", 1_000_000_001],
    "amount": [0, 412_750, -1, 10**16],
    "day": ["2026-11-20", "2026-11-22", "2026-02-30", 3],
    "id": ["e-0", "", "a\nb", "x" * 129],
    "source": ["/vn/38/bank", "/vn/38/shop", "\x7f"],
    "time": ["2026-11-20T09:00:00+07:00", "2026-11-20T09:00:00", "noon"],
    "cuont": [1],
}
MEMBERS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(each) for name, each in VALUES.items()}
)


def refs(node: object) -> Iterator[str]:
    """Find every reference."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from refs(value)
    elif isinstance(node, list):
        for each in node:
            yield from refs(each)


def schema_of_record(record: Mapping[str, Any]) -> str:
    """Name the AsyncAPI schema of a record of `uptake.events`."""
    return {
        "state": "StatedV1",
        "control": "ControlV1",
        "reverse": "ReversedV1",
    }.get(record["effect"], "CountedV1")


def schema_of_golden(path: Path) -> str:
    """Name the AsyncAPI schema of a golden message."""
    message = json.loads(path.read_bytes())
    if path.name.startswith("adoption_v1"):
        return schema_of_record(message)
    return {
        "day": "DailyTotalV1",
        "stated": "StatedLevelV1",
        "control": "ControlClaimV1",
        "report": "LastReportV1",
        "watermark": "WatermarkV1",
    }.get(message.get("kind"), f"{path.name.partition('_')[0].capitalize()}V1")


def test_committed_documents_are_what_the_code_says() -> None:
    """After a change of the contract: `make documents`."""
    assert find_drift(PROJECT / "docs") == ()
    assert render_documents() == render_documents()


def test_documented_encodings_are_those_that_are_taken() -> None:
    """Also the empty one, which some clients send instead of none."""
    parameters = OPENAPI["paths"]["/v1/events"]["post"]["parameters"]
    documented = [
        each["schema"]["enum"]
        for each in parameters
        if each.get("name") == "Content-Encoding"
    ]
    assert [set(each) for each in documented] == [ENCODINGS]


def test_drift_is_named_and_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` changes nothing and fails; without it the files are written."""
    assert main([str(tmp_path), "--check"]) == 1
    assert not list(tmp_path.iterdir())
    assert main([str(tmp_path)]) == 0
    assert main([str(tmp_path), "--check"]) == 0
    (tmp_path / "openapi.json").write_bytes(b"{}\n")
    capsys.readouterr()
    assert main([str(tmp_path), "--check"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_reference_leads_somewhere(name: str) -> None:
    """All point into the document itself."""
    found = set(refs(DOCUMENTS[name]))
    assert found
    for reference in found:
        node: Any = DOCUMENTS[name]
        start, *path = reference.split("/")
        assert start == "#"
        for part in path:
            node = node[part]


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_schema_is_a_schema(name: str) -> None:
    """Of the dialect of OpenAPI 3.1, and of AsyncAPI 3.0, which is older."""
    for schema in DOCUMENTS[name]["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
        if name == "asyncapi.json":
            Draft7Validator.check_schema(schema)


def test_every_code_is_in_a_document() -> None:
    """Refusals are told over HTTP, rejections over Kafka."""
    schemas = OPENAPI["components"]["schemas"]
    assert set(schemas["RefusalCode"]["enum"]) == set(RefusalCode)
    data = ASYNCAPI["components"]["schemas"]["RejectedDataV1"]
    everything = {*RejectionCode, *RefusalCode}
    assert set(data["properties"]["code"]["enum"]) == everything


def test_limits_are_those_that_ingest_applies() -> None:
    """The models say again what the core, which imports no pydantic, decides by."""
    assert admission.ID_LENGTH_MAX == sent.ID_LENGTH_MAX
    assert admission.TEXT_LENGTH_MAX == sent.TEXT_LENGTH_MAX
    assert admission.COUNT_MAX == sent.COUNT_MAX
    assert admission.AMOUNT_MAX == sent.FIGURE_MAX
    shipped = make_settings()
    server = OPENAPI["servers"][0]["variables"]
    assert server["host"]["default"] == shipped.http_host
    assert server["port"]["default"] == str(shipped.http_port)
    assert (shipped.body_bytes_max, shipped.batch_events_max) == (4 * MIB, 10_000)
    assert shipped.event_bytes_max == 64 * 1024
    about = OPENAPI["info"]["description"]
    assert "at most 64 KiB, a batch 4 MiB and 10,000 events" in about


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_example_of_an_event_is_admitted(name: str) -> None:
    """Whoever copies one has something that works."""
    assert isinstance(admit(EVENTS[name], DOOR), Admitted)


@pytest.mark.parametrize("event", VARIANTS, ids=lambda event: str(event["type"]))
def test_admitted_event_and_its_record_are_as_documented(
    event: dict[str, Any],
) -> None:
    """What ingest takes the schema takes, and what it writes too."""
    decision = admit(event, DOOR)
    assert isinstance(decision, Admitted), decision
    named(OPENAPI, "EventV1").validate(event)
    record = json.loads(json.dumps(decision.record))
    name = schema_of_record(record)
    named(ASYNCAPI, name).validate(record)
    assert not stray_members(ASYNCAPI, name, record)


@pytest.mark.parametrize("event", MISSHAPEN, ids=str)
def test_misshapen_event_is_refused_by_schema_and_ingest(event: object) -> None:
    """What a schema can say the document says."""
    assert not isinstance(admit(event, DOOR), Admitted)
    assert not named(OPENAPI, "EventV1").is_valid(event)


@settings(max_examples=150)
@given(st.sampled_from([type_.type for type_ in EVENT_TYPES]), MEMBERS)
def test_schema_refuses_nothing_that_ingest_admits(
    type_: str, members: dict[str, object]
) -> None:
    """Nor does any answer or record look other than documented."""
    event = make_event(type_)
    event["data"] = {**event["data"], **members}
    decided = decide([event, make_event()], DOOR)
    named(OPENAPI, "ReceiptV1").validate(decided.receipt(len(decided.admitted)))
    for admitted in decided.admitted:
        assert isinstance(admitted, Admitted)
        named(ASYNCAPI, schema_of_record(admitted.record)).validate(admitted.record)
    if len(decided.admitted) == 2:
        named(OPENAPI, "EventV1").validate(event)


@pytest.mark.parametrize("waiting_for", [None, "connecting"])
@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
async def test_probe_answers_as_documented(path: str, waiting_for: str | None) -> None:
    """Whether the service is ready or not."""
    request = Request(path=path, method="GET", key=None)
    answer = await ask(make_door(waiting_for=waiting_for), request)
    content = OPENAPI["paths"][path]["get"]["responses"][str(answer.status)]["content"]
    is_json = answer.media_type == "application/json"
    value = answer.json() if is_json else answer.body.decode()
    validator(OPENAPI, content[answer.media_type]["schema"]).validate(value)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda p: p.stem)
def test_golden_message_is_as_documented(path: Path) -> None:
    """What is written byte for byte is what the document describes, and no more."""
    message, name = json.loads(path.read_bytes()), schema_of_golden(path)
    assert name in ASYNCAPI["components"]["messages"]
    named(ASYNCAPI, name).validate(message)
    assert not stray_members(ASYNCAPI, name, message)
    if "data" in message:
        reference = ASYNCAPI["components"]["schemas"][name]["properties"]["data"]
        inner = reference["$ref"].rpartition("/")[2]
        assert not stray_members(ASYNCAPI, inner, message["data"])


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_example_of_a_message_is_valid(name: str) -> None:
    """Each message has one."""
    assert set(PAYLOADS) == set(ASYNCAPI["components"]["messages"])
    named(ASYNCAPI, name).validate(PAYLOADS[name])


def test_topics_are_those_that_are_created() -> None:
    """With their partitions and settings, where the operator changes none."""
    channels = {
        channel["address"]: channel for channel in ASYNCAPI["channels"].values()
    }
    specs = (*TOPICS, *agency_topics("{agency}"))
    assert set(channels) == {spec.name for spec in specs}
    fields = KafkaSettings.model_fields
    for spec in specs:
        binding = channels[spec.name]["bindings"]["kafka"]
        default = fields["kafka_partitions"].default
        assert binding["partitions"] == (spec.partitions or default)
        assert binding["replicas"] == fields["kafka_replication"].default
        found = {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in binding["topicConfiguration"].items()
        }
        assert found == {**spec.configs, "min.insync.replicas": "2"}


def test_every_effect_has_its_form_of_data() -> None:
    """A new effect of the catalogue needs a new form here."""
    forms = OPENAPI["components"]["schemas"]["EventV1"]["properties"]["data"]["anyOf"]
    assert len(forms) == len(Effect)
