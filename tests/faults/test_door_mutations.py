"""Tests of the tests of the door: with a bound or a rule taken out, they must fail."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.test_mutations import (
    SECONDS_MAX,
    Edit,
    Mutation,
    copy_tree,
    fail_with,
    run_tests,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.timeout(SECONDS_MAX + 60),
]

ADMISSION = "services/ingest/core/admission.py"
TEXT = "services/ingest/core/text.py"
JSON_TEXT = "services/ingest/core/json_text.py"
ENCODINGS = "services/ingest/wire/encodings.py"
BODY = "services/ingest/wire/body.py"
NDJSON = "services/ingest/wire/ndjson.py"
WEB = "services/ingest/web.py"
PROTOCOL = "shared/http_protocol.py"

UNITS = "tests/unit/ingest"
FOUND = f"{UNITS}/test_found_by_fuzzing.py"
HOSTILE = "tests/integration/test_hostile_bodies.py"
STREAMS = "tests/integration/test_streams.py"
LIMITS = "tests/integration/test_http_limits.py"


def without(condition: str, place: str, *tests: str) -> Mutation:
    """Take out a condition, so that what stands under it never happens."""
    return Mutation((Edit(place, rf"if {condition}:", "if False:"),), tests)


MUTATIONS: Mapping[str, Mutation] = {
    "repeated keys": Mutation(
        (Edit(JSON_TEXT, r"return RepeatedKey\(key\[:64\]\)", "return built"),),
        (f"{UNITS}/test_json_text.py",),
    ),
    "numbers that are none": Mutation(
        (Edit(JSON_TEXT, r", parse_constant=_refuse_constant", ""),),
        (f"{UNITS}/test_json_text.py",),
    ),
    "numbers beyond their bounds": without(
        r"not least <= value <= most",
        "services/ingest/core/text.py",
        f"{UNITS}/test_admission_data.py",
    ),
    "whole numbers": without(
        r"type\(value\) is not int",
        "services/ingest/core/text.py",
        f"{UNITS}/test_admission_data.py",
    ),
    "numbers of any number of digits": Mutation(
        (
            Edit(
                JSON_TEXT,
                r"except \(ValueError, RecursionError\) as error:"
                r"(\s+raise _not_json\(error\) from None\n\n\ndef _elements)",
                r"except (json.JSONDecodeError, RecursionError) as error:\1",
            ),
        ),
        (f"{UNITS}/test_json_text.py", HOSTILE, "-k", "json or hostile"),
    ),
    "bytes that are not UTF-8": Mutation(
        (Edit(JSON_TEXT, r"body\.decode\(\)", 'body.decode(errors="replace")'),),
        (f"{UNITS}/test_json_text.py",),
    ),
    "control characters": Mutation(
        (
            Edit(
                "services/ingest/core/text.py",
                r"and not _CLEAN\.fullmatch\(value\)",
                "and False",
            ),
        ),
        (f"{UNITS}/test_text.py", f"{UNITS}/test_admission.py"),
    ),
    "bodies announced too large": without(
        r"declared\.isdecimal\(\) and [^:]*", BODY, HOSTILE, "-k", "announced"
    ),
    "keys before bodies": Mutation(
        (
            Edit(
                WEB,
                r"bearer = self\._guard\.admit\(request\)",
                "await body.discard(); bearer = self._guard.admit(request)",
            ),
        ),
        (HOSTILE, "-k", "without_a_key"),
    ),
    "depth": without("depth > most", JSON_TEXT, f"{UNITS}/test_json_text.py"),
    "size of an event": without(
        r"_is_longer\(.*?\)", JSON_TEXT, f"{UNITS}/test_json_text.py"
    ),
    "bytes of an event": Mutation(
        (Edit(JSON_TEXT, r" or len\(text\[begin:end\]\.encode\(\)\) > bytes_max", ""),),
        (FOUND,),
    ),
    "depth of data in binary mode": Mutation(
        (Edit(JSON_TEXT, "levels_above=1", "levels_above=0"),), (FOUND,)
    ),
    "persons in what is told": Mutation(
        (
            Edit(
                ADMISSION,
                r"return text if kind_of\(text\) is None else None",
                "return text",
            ),
        ),
        (FOUND,),
    ),
    "persons in names that are told": Mutation(
        (
            Edit(
                TEXT,
                r"return name if kind_of\(name\) is None else \"\(not repeated\)\"",
                "return name",
            ),
        ),
        (FOUND,),
    ),
    "records that cannot be read": Mutation(
        (
            Edit(
                "services/ingest/submissions/fetching.py",
                r"\(UnicodeDecodeError, ",
                "(",
            ),
        ),
        (f"{UNITS}/test_submission_fetching.py",),
    ),
    "what came before one that cannot be read": Mutation(
        (
            Edit(
                "services/ingest/submissions/fetching.py",
                r"seek\(partition, start\)\n +try:",
                "paused()\n            try:",
            ),
        ),
        (f"{UNITS}/test_submission_fetching.py",),
    ),
    "length of a line": without(
        r"len\(self\._begun\) > self\._bytes_max",
        "services/ingest/core/lines.py",
        f"{UNITS}/test_lines.py",
    ),
    "an attribute in two fields": without(
        "name in event",
        "services/ingest/core/binary_mode.py",
        f"{UNITS}/test_binary_mode.py",
    ),
    "ratio of unpacking": without(
        r"self\._plain_bytes > most", ENCODINGS, f"{UNITS}/test_encodings.py"
    ),
    "pieces of unpacking": Mutation(
        (
            Edit(
                ENCODINGS,
                r"_member\.decompress\(packed, .*?\)",
                "_member.decompress(packed)",
            ),
        ),
        (f"{UNITS}/test_encodings.py",),
    ),
    "window of zstd": Mutation(
        (Edit(ENCODINGS, r"ZstdDecompressor\(options=window\)", "ZstdDecompressor()"),),
        (f"{UNITS}/test_encodings.py",),
    ),
    "end of a packed body": without(
        r"not self\._unpacker\.is_whole", ENCODINGS, f"{UNITS}/test_encodings.py"
    ),
    "pace of a body": Mutation(
        (Edit(BODY, r"timeout_at\(min\(until, patience\)\)", "timeout_at(None)"),),
        (HOSTILE, "-k", "slow_body"),
    ),
    "pace of a body that has not come": Mutation(
        (Edit(BODY, r"BODY_HAS_COME in [^:]*", "True"),),
        (HOSTILE, "-k", "slow_body"),
    ),
    "pace of a body of which a part has come": Mutation(
        (
            Edit(
                PROTOCOL,
                r"(super\(\)\.on_body\(body\))",
                r'\1; self.cycle.scope["state"][BODY_HAS_COME] = True',
            ),
        ),
        (HOSTILE, "-k", "slow_body"),
    ),
    "size of a body": Mutation(
        (Edit(BODY, r"if len\(body\) > bytes_max:", "if False:"),),
        (HOSTILE, "-k", "hostile_batch or same_bound"),
    ),
    "what all requests hold": without(
        r"after > before and [^:]*", BODY, HOSTILE, "-k", "hold_a_bounded"
    ),
    "number of events": without(
        r"count > bounds\.events_max",
        "services/ingest/wire/modes.py",
        *(HOSTILE, "-k", "hostile_batch"),
    ),
    "strict query": without(r"name not in found or [^:]*", WEB, HOSTILE, "-k", "wish"),
    "number of streams": without(
        r"len\(self\._streams\) >= settings\.streams_max", WEB, STREAMS, "-k", "few"
    ),
    "streams that wait for their rate and end with the service": Mutation(
        (Edit(WEB, r"decided\.received, body\.rest\)", "decided.received)"),),
        (STREAMS, "-k", "waits_for_its_agencys_rate"),
    ),
    "end of streams with the service": Mutation(
        (Edit(WEB, r"body\.interrupt\(_stopping\(\)\)", "pass"),),
        (STREAMS, "-k", "service_that_stops"),
    ),
    "streams not begun while the service stops": without(
        r"self\._is_stopping", WEB, STREAMS, "-k", "service_that_stops"
    ),
    "key of a stream": Mutation(
        (
            Edit(
                "services/ingest/guard/guard.py",
                r"    def bearer\(",
                "    @__import__('functools').cache\n    def bearer(",
            ),
        ),
        (STREAMS, "-k", "key_that_is_taken"),
    ),
    "confirmation of a part": without(
        "problem is not None", NDJSON, STREAMS, "-k", "unconfirmed"
    ),
    "waiting for the log": Mutation(
        (Edit(NDJSON, r"while len\(self\._under_way\) >= [^:]*:", "while False:"),),
        (STREAMS, "-k", "slow_log"),
    ),
    "bytes of a head": without(
        r"self\._unseen_bytes > [^:]*", PROTOCOL, LIMITS, "-k", "none or fields_behind"
    ),
    "fields of a head": without(
        r"self\._is_head_large", PROTOCOL, LIMITS, "-k", "none"
    ),
    "time for a head": Mutation(
        (Edit(PROTOCOL, r"self\._limits\.head_seconds,", "3_600,"),),
        (LIMITS, "-k", "slowly"),
    ),
    "time for an answer": Mutation(
        (Edit(PROTOCOL, r"self\._limits\.unread_seconds,", "3_600,"),),
        (LIMITS, "-k", "does_not_read"),
    ),
    "requests behind one another": without(
        r"len\(self\.pipeline\) > [^:]*", PROTOCOL, LIMITS, "-k", "behind"
    ),
    "open requests": without(
        r"len\(self\.connections\) > most or [^:]*", PROTOCOL, LIMITS, "-k", "come_back"
    ),
    "connections that ask nothing": without(
        r"len\(self\.connections\) > 2 [^:]*", PROTOCOL, LIMITS, "-k", "beyond_all"
    ),
    "count of heads that are none": Mutation(
        (Edit(PROTOCOL, r"self\._note\(refusal\.reason\)", "pass"),),
        (LIMITS, "-k", "none"),
    ),
    "count of who is told to come back": Mutation(
        (Edit(PROTOCOL, r"self\._note\(TOO_BUSY\.reason\)", "pass"),),
        (LIMITS, "-k", "come_back"),
    ),
    "nobody's word on who asks": Mutation(
        (
            Edit(
                "shared/http.py",
                r"proxy_headers=trusted_proxies [^\n]*\n[^\n]*\n",
                "\n",
            ),
        ),
        (LIMITS, "-k", "believed"),
    ),
    "proxies that are everybody": Mutation(
        (Edit("shared/settings.py", r"if not network\.prefixlen:", "if False:"),),
        ("tests/unit/shared/test_settings.py", "-k", "proxies"),
    ),
    "broken framing": Mutation(
        (Edit(PROTOCOL, r"if BROKEN_FRAMING in state else", "if False else"),),
        (LIMITS, "-k", "chunks_break"),
    ),
    "addresses as they stand": Mutation(
        (
            Edit(
                "shared/http.py", r"redirect_slashes = False", "redirect_slashes = True"
            ),
        ),
        (LIMITS, "-k", "address"),
    ),
}


@pytest.mark.parametrize("tests", [(UNITS,), (HOSTILE,), (STREAMS,), (LIMITS,)])
async def test_copied_tree_passes_as_it_is(
    tests: tuple[str, ...], tmp_path: Path
) -> None:
    """Or a failure after a mutation would mean nothing."""
    status, said = await run_tests(copy_tree(tmp_path / "tree"), tests)
    assert status == 0, said


@pytest.mark.parametrize("name", MUTATIONS)
async def test_tests_fail_without(name: str, tmp_path: Path) -> None:
    """Whoever takes this out of the code hears of it."""
    await fail_with(MUTATIONS[name], tmp_path)
