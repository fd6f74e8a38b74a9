"""Keys, limits and persons at a running door, without a restart of it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml

from tests.support.catalogues import KEYS, SOURCES
from tests.support.events import HOANG_LOC, event, opened
from tests.support.stack import Answer, Stack, eventually
from tests.unit.shared.test_keys import sha256

pytestmark = pytest.mark.embedded

CITIZEN, PHONE = "038090012345", "0912345678"
EMAIL = "lan.nguyen@example.vn"


@pytest.fixture
async def door(stack: Stack) -> AsyncIterator[Stack]:
    """Run ingest, which looks at the agencies' files ten times a second."""
    stack.overrides |= {
        "UPTAKE_AGENCIES_POLL_SECONDS": "0.1",
        "UPTAKE_AUDIT_LINES_PER_MINUTE": "20",
    }
    await stack.start("ingest")
    yield stack
    assert stack.children["ingest"].is_running(), stack.log_tail("ingest")
    log = log_of(stack)
    for secret in (*KEYS.values(), CITIZEN, PHONE, EMAIL, "the-key-itself"):
        assert secret not in log


def log_of(stack: Stack) -> str:
    """Return all that ingest wrote."""
    return (stack.folder / "ingest" / "log").read_text(encoding="utf-8")


def audit_of(stack: Stack) -> list[dict[str, Any]]:
    """Return the refused attempts that were written down."""
    lines = [json.loads(line) for line in log_of(stack).splitlines()]
    return [line for line in lines if line["event"] == "attempt_refused"]


def write_bank(stack: Stack, text: str | None = None, **changes: object) -> None:
    """Change the file of the agency `bank`, or replace it by a text."""
    path = stack.catalogue / "agencies" / "bank.yaml"
    if text is None:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        text = yaml.safe_dump({**document, **changes})
    # In one step, as a good tool does; a half-written file is seen as broken.
    temporary = path.with_name(".bank")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


async def knock(stack: Stack, key: str) -> Answer:
    """Send one good event with a key."""
    return await stack.post(opened(1), headers={"authorization": f"Bearer {key}"})


async def wait_for(stack: Stack, key: str, status: int) -> None:
    """Wait until a key is answered with a status."""

    async def is_so() -> bool:
        return (await knock(stack, key)).status == status

    await eventually(is_so, what=f"{key} answered with {status}")


async def test_keys_change_without_a_restart(door: Stack) -> None:
    """Rotated, revoked, broken, mended, limited: the process and readiness stay."""
    entry = {"id": "bank-1", "sha256": sha256(KEYS["bank"])}
    second = {"id": "bank-2", "sha256": sha256("second"), "locality": HOANG_LOC}
    assert (await knock(door, KEYS["bank"])).status == 202
    assert (await knock(door, "second")).status == 401

    write_bank(door, keys=[entry, second])
    await wait_for(door, "second", 202)
    assert (await knock(door, KEYS["bank"])).status == 202

    write_bank(door, "keys: [{sha256: the-key-itself}]")

    async def says_so() -> bool:
        _, text = await door.get("ingest", "/metrics")
        return "uptake_agencies_reload_successful 0.0" in text

    await eventually(says_so, what="the metric says that the files are wrong")
    assert "agencies_not_reloaded" in log_of(door)
    assert (await knock(door, KEYS["bank"])).status == 202
    assert (await knock(door, "second")).status == 202
    assert (await door.get("ingest", "/health/ready"))[0] == 200

    document: dict[str, object] = {
        "id": "bank",
        "name": "B",
        "sources": [SOURCES["bank"]],
    }
    document |= {"indicators": ["*"], "locality": "38", "keys": [second]}
    write_bank(door, yaml.safe_dump(document))
    await wait_for(door, KEYS["bank"], 401)
    assert (await knock(door, "second")).status == 202

    limits = {"events_per_second": 1, "burst_events": 2}
    write_bank(door, limits=limits)

    async def is_limited() -> bool:
        answer = await door.post(
            [opened(1)] * 2, headers={"authorization": "Bearer second"}
        )
        return answer.status == 429 and int(answer.headers["Retry-After"]) >= 1

    await eventually(is_limited, what="the agency's new limits are kept to")


async def test_refused_attempts_are_written_down_and_no_flood(door: Stack) -> None:
    """Whose key, in whose name, from where; a bounded number of lines."""
    foreign = event(source=SOURCES["shop"], locality=HOANG_LOC)
    assert (await door.post(foreign)).status == 403
    (line,) = audit_of(door)
    assert (line["agency"], line["claimed"]) == ("bank", ["shop"])
    assert (line["client"], line["status"]) == ("127.0.0.1", 403)
    for number in range(60):
        assert (await knock(door, f"guess-{number}")).status == 401
    assert len(audit_of(door)) <= 1 + 20 + 2
    _, metrics = await door.get("ingest", "/metrics")
    assert 'uptake_requests_denied_total{reason="unknown_key"} 60.0' in metrics
    assert 'uptake_audit_lines_suppressed_total{reason="unknown_key"}' in metrics
    assert "guess" not in log_of(door)


async def test_person_is_refused_and_stands_nowhere(door: Stack) -> None:
    """Neither in the answer nor in what ingest writes; a good event does pass."""
    shapes = (CITIZEN, PHONE, f"+84{PHONE[1:]}", EMAIL)
    events = [
        *({**opened(1), "id": shape} for shape in shapes),
        *({**opened(1), "subject": f"of {shape}"} for shape in shapes),
        *({**opened(1), "customer": {"no": [shape]}} for shape in shapes),
        *(event(locality=HOANG_LOC, note=shape) for shape in shapes),
    ]
    answer = await door.post([*events, opened(1)])
    assert answer.status == 202
    assert answer.body["accepted"] == 1
    assert {row["code"] for row in answer.body["refused"]} == {"personal_data"}
    assert len(answer.body["refused"]) == len(events)
    for shape in shapes:
        assert shape not in json.dumps(answer.body)
