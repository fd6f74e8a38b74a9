"""The AsyncAPI document of the topics, as a dict.

Messages are the wire models, topics and their settings those that `uptake migrate`
creates; nothing is described here a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel

from shared.errors import RefusalCode, RejectionCode
from shared.events import asyncapi_examples as examples
from shared.events.adoption_v1 import (
    CONTENT_TYPE,
    ControlV1,
    CountedV1,
    ReversedV1,
    StatedV1,
)
from shared.events.alert_v1 import AlertV1
from shared.events.cloudevent_v1 import EventV1
from shared.events.refused_v1 import RefusedDataV1, RefusedV1
from shared.events.rejected_v1 import RejectedDataV1, RejectedV1
from shared.events.settled_v1 import DroppedV1, RedrivenV1
from shared.events.topics import (
    ALERTS,
    EVENTS,
    REFUSED,
    REJECTED,
    SUBMISSIONS,
    TOPICS,
    TOTALS,
    TopicSpec,
    agency_topics,
)
from shared.events.totals_v1 import (
    ControlClaimV1,
    DailyTotalV1,
    LastReportV1,
    StatedLevelV1,
    WatermarkV1,
)
from shared.events.wire_schemas import CONTRACT_VERSION, LICENSE, ref, schemas_of
from shared.settings import KafkaSettings

Document = dict[str, object]
CLOUDEVENT: Final = CONTENT_TYPE.decode()
JSON: Final = "application/json"
_BINDING: Final = "0.5.0"

_ABOUT: Final = """\
The topics of Uptake. Anybody who may read a topic may subscribe; the services write, \
and each agency with a topic of its own writes that one.

Every record is delivered at least once: recognise what you know by its id \
(CloudEvents), or keep the value with the higher `revision`, of equal ones the later \
(totals). Leave aside members that you do not know: a later writer may add some. Days \
are local days of the catalogue's time zone, instants are UTC, amounts are whole VND; \
sums may be wider than 64 bits."""


@dataclass(frozen=True, slots=True)
class _Message:
    """One kind of message; `key` says what its Kafka key is."""

    model: type[BaseModel]
    key: str
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class _Channel:
    name: str
    topic: str
    description: str
    messages: tuple[_Message, ...]


_AGENCY: Final = "the agency's id: its events are in one partition, in order"
_RECORD: Final = "of the rejected record: topic, partition and offset, joined by /"
_ANY_KEY: Final = "the sender's choice; not looked at"
_AGENCY_PARAMETER: Final = "{agency}"
_TOTAL: Final = "a JSON array in its shortest form: what the value replaces"

_CHANNELS: Final = (
    _Channel(
        "events",
        EVENTS,
        "The log: every event that ingest admitted, with all that it decided. Never "
        "cut; the time of a record is the broker's.",
        tuple(
            _Message(model, _AGENCY, CLOUDEVENT)
            for model in (CountedV1, StatedV1, ControlV1, ReversedV1)
        ),
    ),
    _Channel(
        "rejected",
        REJECTED,
        "Records of the log that aggregation did not apply, with their bytes, and "
        "what became of them. The last mark holds; without one a record is open. Also "
        "submissions that ingest refused, without their bytes.",
        tuple(
            _Message(model, _RECORD, CLOUDEVENT)
            for model in (RejectedV1, RedrivenV1, DroppedV1)
        ),
    ),
    _Channel(
        "totals",
        TOTALS,
        "Absolute values; one with a higher revision replaces, of equal revisions the "
        "later one. Compacted. A watermark follows everything that it covers.",
        tuple(
            _Message(model, _TOTAL)
            for model in (
                DailyTotalV1,
                StatedLevelV1,
                ControlClaimV1,
                LastReportV1,
                WatermarkV1,
            )
        ),
    ),
    _Channel(
        "alerts",
        ALERTS,
        "Transitions of alerts; their id is fingerprint, episode and state.",
        (_Message(AlertV1, "the alert's fingerprint", CLOUDEVENT),),
    ),
    _Channel(
        "submissions",
        SUBMISSIONS + _AGENCY_PARAMETER,
        "An agency's own topic, for agencies with `kafka: true`: only its user may "
        "write it, and it goes through the same checks as `POST /v1/events`. One event "
        "a record, structured as here, or binary: `ce_` headers, and `data` as the "
        "value. The broker's time of the record is the instant at which it is judged.",
        (_Message(EventV1, _ANY_KEY, CLOUDEVENT),),
    ),
    _Channel(
        "refused",
        REFUSED + _AGENCY_PARAMETER,
        "What was refused of an agency's own topic, and why; only its user may read "
        "it, in consumer groups whose names begin with `agency.<id>.`. What is in "
        "neither this topic nor unread is in the log.",
        (_Message(RefusedV1, "the message's id", CLOUDEVENT),),
    ),
)

_OPERATIONS: Final[
    tuple[tuple[str, Literal["send", "receive"], str, str, str], ...]
] = (
    ("ingestSendsEvents", "send", "events", "ingest", "Append what was admitted"),
    (
        "aggregationReceivesEvents",
        "receive",
        "events",
        "aggregation",
        "Count each event once",
    ),
    (
        "aggregationSendsRejected",
        "send",
        "rejected",
        "aggregation",
        "Set aside what cannot be applied",
    ),
    (
        "ingestReceivesRejected",
        "receive",
        "rejected",
        "ingest",
        "Redrive or drop what an operator names",
    ),
    (
        "ingestReceivesSubmissions",
        "receive",
        "submissions",
        "ingest",
        "Admit or refuse each event",
    ),
    (
        "ingestSendsRefused",
        "send",
        "refused",
        "ingest",
        "Tell an agency what was refused",
    ),
    (
        "ingestSendsRejected",
        "send",
        "rejected",
        "ingest",
        "Tell operators what was refused",
    ),
    (
        "ingestSendsMarks",
        "send",
        "rejected",
        "ingest",
        "Say that a record was redriven or dropped",
    ),
    (
        "aggregationSendsTotals",
        "send",
        "totals",
        "aggregation",
        "Publish what changed, and up to when everything is applied",
    ),
    (
        "alertingReceivesTotals",
        "receive",
        "totals",
        "alerting",
        "Keep a copy to judge targets by",
    ),
    (
        "alertingSendsAlerts",
        "send",
        "alerts",
        "alerting",
        "Tell each transition of an alert",
    ),
)


def build_asyncapi() -> Document:
    """Build the document of all topics."""
    messages = [message for channel in _CHANNELS for message in channel.messages]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Uptake over Kafka",
            "version": CONTRACT_VERSION,
            "description": _ABOUT,
            "license": LICENSE,
        },
        "defaultContentType": JSON,
        "servers": {"kafka": _server()},
        "channels": {channel.name: _channel(channel) for channel in _CHANNELS},
        "operations": {
            name: {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel}"},
                "summary": summary,
                "tags": [{"name": service}],
            }
            for name, action, channel, service, summary in _OPERATIONS
        },
        "components": {
            "messages": {
                message.model.__name__: _message(message) for message in messages
            },
            "schemas": _schemas([message.model for message in messages]),
        },
    }


def _server() -> Document:
    return {
        "host": "{brokers}",
        "protocol": "kafka",
        "description": "where UPTAKE_KAFKA_BOOTSTRAP_SERVERS says",
        "variables": {"brokers": {"default": "127.0.0.1:9092"}},
    }


def _channel(channel: _Channel) -> Document:
    parameters = {"agency": {"description": "id of the agency in the catalogue"}}
    return {
        "address": channel.topic,
        "description": channel.description,
        **({"parameters": parameters} if _AGENCY_PARAMETER in channel.topic else {}),
        "messages": {
            message.model.__name__: {
                "$ref": f"#/components/messages/{message.model.__name__}"
            }
            for message in channel.messages
        },
        "bindings": {"kafka": _topic(channel.topic)},
    }


def _topic(name: str) -> Document:
    """Describe a topic as it is created where the settings are left as they are."""
    specs = (*TOPICS, *agency_topics(_AGENCY_PARAMETER))
    spec: TopicSpec = next(spec for spec in specs if spec.name == name)
    replicas: int = KafkaSettings.model_fields["kafka_replication"].default
    configs = {key: _config(key, value) for key, value in spec.configs.items()}
    return {
        "topic": name,
        "partitions": spec.partitions
        or KafkaSettings.model_fields["kafka_partitions"].default,
        "replicas": replicas,
        "topicConfiguration": {**configs, "min.insync.replicas": replicas - 1},
        "bindingVersion": _BINDING,
    }


def _config(name: str, value: str) -> object:
    """Give a setting of a topic the type that the binding wants."""
    if name == "cleanup.policy":
        return value.split(",")
    return int(value) if value.removeprefix("-").isdecimal() else value


def _message(message: _Message) -> Document:
    name = message.model.__name__
    key = {
        "type": "string",
        "description": message.key,
        "examples": [examples.KEYS[name]],
    }
    built: Document = {
        "name": name,
        "summary": (message.model.__doc__ or "").partition("\n")[0],
        "contentType": message.content_type,
        "payload": ref(name),
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
        "examples": [{"payload": examples.PAYLOADS[name]}],
    }
    if message.content_type == CLOUDEVENT:
        built["headers"] = {
            "type": "object",
            "required": ["content-type"],
            "properties": {"content-type": {"const": message.content_type}},
        }
    return built


def _schemas(models: Sequence[type[BaseModel]]) -> Document:
    # Of what a sender sends, defaults may be left out.
    received = schemas_of([EventV1], mode="validation")
    schemas = {
        **schemas_of([model for model in models if model is not EventV1]),
        **received,
    }
    # The models take any code, because a reader must outlive codes that come later;
    # the writers have these.
    for model, codes in (
        (RejectedDataV1, {*RejectionCode, *RefusalCode}),
        (RefusedDataV1, {*RefusalCode}),
    ):
        data = schemas[model.__name__]
        assert isinstance(data, dict)
        data["properties"]["code"]["enum"] = sorted(codes)
    return schemas
