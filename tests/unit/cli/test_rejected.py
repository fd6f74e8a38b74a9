"""`uptake rejected`: which codes it knows, and that it shows what the messages hold."""

import base64
import hashlib
import json

import pytest
from typer.testing import CliRunner

from services.cli.rejected import app
from services.cli.rejected_show import FoundRecord, describe, to_object
from services.cli.render import to_json
from shared.errors import RefusalCode, RejectionCode, SettingsError
from shared.events.settled_v1 import DroppedV1, RedrivenV1
from tests.unit.shared.test_rejected import dropped, redriven, rejected


def found(value: bytes, *, mark: RedrivenV1 | DroppedV1 | None = None) -> FoundRecord:
    """Make a rejected record with such a value."""
    message = rejected()
    data = message.data.model_copy(
        update={
            "bytes": base64.b64encode(value).decode(),
            "sha256": hashlib.sha256(value).hexdigest(),
        }
    )
    return FoundRecord(message.model_copy(update={"data": data}), mark)


def test_event_is_shown_digit_by_digit() -> None:
    """Long figures, repeated keys and members that we do not know stay."""
    value = b'{"id":"a","id":"b","count":12345678901234567890123,"x":{"y":[]}}'
    text = "\n".join(describe(found(value)))
    assert '"count": 12345678901234567890123' in text
    assert text.count('"id"') == 2
    assert "because" in text
    assert max(map(len, text.splitlines())) <= 80
    told = to_json(to_object(found(value)))
    assert "12345678901234567890123" in told
    assert json.loads(told)["state"] == "open"


@pytest.mark.parametrize("value", [b"", b"\xff\x00", b'{"a":', b"[" * 100_000, b"NaN"])
def test_value_that_is_no_event_is_shown_in_base64(value: bytes) -> None:
    """As it stands in the message; nothing steers the terminal."""
    lines = describe(found(value))
    at = lines.index("not JSON; in base64:")
    assert base64.b64decode("".join(lines[at + 1 :])) == value
    assert json.loads(to_json(to_object(found(value))))["event"] is None


def test_control_characters_do_not_reach_the_terminal() -> None:
    """Neither from the value nor from the words of others."""
    text = "".join(describe(found('{"a":"\u009b31m\u202e"}'.encode())))
    assert "\u009b" not in text
    assert "\u202e" not in text


def test_mark_says_what_became_of_it() -> None:
    """Where it lies now, or why it was dropped."""
    assert "redriven  to 3/99" in "\n".join(describe(found(b"{}", mark=redriven())))
    text = "\n".join(describe(found(b"{}", mark=dropped())))
    assert "dropped" in text.splitlines()[0]
    assert "noise" in text


def test_withheld_bytes_are_said_to_be_withheld() -> None:
    """Of personal data the topic holds only hash and length."""
    kept = found(b"{}")
    data = kept.message.data.model_copy(update={"bytes": ""})
    message = kept.message.model_copy(update={"data": data})
    assert "not kept" in "\n".join(describe(FoundRecord(message, None)))


@pytest.mark.parametrize(
    "code", sorted({*map(str, RejectionCode), *map(str, RefusalCode)})
)
def test_whatever_code_a_record_is_kept_with_can_be_listed(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that ingest writes of an agency's own topic."""
    monkeypatch.delenv("UPTAKE_KAFKA_BOOTSTRAP_SERVERS", raising=False)
    # The words are taken, and what is missing next is the address of Kafka.
    ran = CliRunner().invoke(app, ["list", "--code", code])
    assert isinstance(ran.exception, SettingsError), ran.output


def test_code_that_no_record_has_is_refused_with_those_that_there_are() -> None:
    """A misspelt one would list nothing, as if there were nothing."""
    ran = CliRunner().invoke(app, ["list", "--code", "odd"])
    assert ran.exit_code == 2
    assert "source_not_yours" in ran.output
    assert "conflicting_duplicate" in ran.output
