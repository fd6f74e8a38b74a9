"""One golden file for each kind of message: what is written, byte for byte.

A file never changes once its version is released: a reader of today must read what a
writer of last year wrote. Written anew by `python -m tests.contract.write_golden`.
"""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from shared.events.adoption_v1 import AdoptionV1
from shared.events.adoption_v1_decode import decode_entry
from shared.events.alert_v1 import AlertV1
from shared.events.refused_v1 import RefusedV1
from shared.events.rejected_v1 import RejectedV1
from shared.events.settled_v1 import REJECTED_MESSAGES, DroppedV1, RedrivenV1
from shared.events.totals_v1 import TotalV1
from tests.contract.golden_messages import GOLDEN, messages
from tests.contract.test_adoption_decoder import assert_same
from tests.contract.wire_records import EVENTS

MODELS: dict[str, TypeAdapter[object]] = {
    "adoption_v1": TypeAdapter(AdoptionV1),
    "total_v1": TypeAdapter(TotalV1),
    "rejected_v1": TypeAdapter(RejectedV1),
    "redriven_v1": TypeAdapter(RedrivenV1),
    "dropped_v1": TypeAdapter(DroppedV1),
    "alert_v1": TypeAdapter(AlertV1),
    "refused_v1": TypeAdapter(RefusedV1),
}


def golden(name: str) -> bytes:
    """Return the message of a golden file; the newline at its end is the file's."""
    return (GOLDEN / f"{name}.json").read_bytes().removesuffix(b"\n")


def model_of(name: str) -> TypeAdapter[object]:
    """Return the wire model of a golden file."""
    return next(model for start, model in MODELS.items() if name.startswith(f"{start}"))


def test_every_golden_file_is_tested() -> None:
    """And every message has one."""
    files = {Path(path).stem for path in GOLDEN.glob("*")}
    assert files == set(messages())
    assert {name.partition("_v1")[0] for name in files} == {
        name.partition("_v1")[0] for name in MODELS
    }


@pytest.mark.parametrize("name", sorted(messages()))
def test_message_is_written_as_it_always_was(name: str) -> None:
    """Byte for byte: keys, order, forms of instants."""
    assert messages()[name] == golden(name)


@pytest.mark.parametrize("name", sorted(messages()))
def test_message_is_read(name: str) -> None:
    """By the model, which also writes back what it read, where it is the writer."""
    read = model_of(name).validate_json(golden(name))
    if not name.startswith("adoption_v1"):
        assert model_of(name).dump_json(read) == golden(name)


@pytest.mark.parametrize("name", sorted(messages()))
def test_reader_ignores_members_that_a_later_writer_adds(name: str) -> None:
    """A topic outlives the versions of its readers."""
    value = golden(name)
    more = b'{"added_later":{"a":[1]},' + value[1:]
    assert model_of(name).validate_json(more) == model_of(name).validate_json(value)


@pytest.mark.parametrize("name", ["rejected_v1", "redriven_v1", "dropped_v1"])
def test_messages_of_one_topic_are_told_apart(name: str) -> None:
    """By their type, whatever else they hold."""
    read = REJECTED_MESSAGES.validate_json(golden(name))
    assert read == model_of(name).validate_json(golden(name))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_golden_record_is_decoded_alike(name: str) -> None:
    """The fast decoder reads the log of last year, too."""
    assert decode_entry(golden(name)) is not None
    assert_same(golden(name))
    assert_same(b'{"added_later":{"a":[1]},' + golden(name)[1:])
