"""Bounds and rules of the door."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, never, without

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
PROXIES = ("tests/unit/shared/test_settings.py", "-k", "proxies")

GROUPS: Mapping[str, tuple[str, ...]] = {
    "units": (UNITS,),
    "hostile": (HOSTILE,),
    "streams": (STREAMS,),
    "limits": (LIMITS,),
    "proxies": PROXIES,
}
MUTATIONS: Mapping[str, Mutation] = {
    "repeated keys": without(
        JSON_TEXT,
        r"return RepeatedKey\(key\[:64\]\)",
        "return built",
        (f"{UNITS}/test_json_text.py",),
    ),
    "numbers that are none": without(
        JSON_TEXT,
        r", parse_constant=_refuse_constant",
        "",
        (f"{UNITS}/test_json_text.py",),
    ),
    "numbers beyond their bounds": never(
        TEXT, r"not least <= value <= most", (f"{UNITS}/test_admission_data.py",)
    ),
    "whole numbers": never(
        TEXT, r"type\(value\) is not int", (f"{UNITS}/test_admission_data.py",)
    ),
    "numbers of any number of digits": without(
        JSON_TEXT,
        r"except \(ValueError, RecursionError\) as error:"
        r"(\s+raise _not_json\(error\) from None\n\n\ndef _elements)",
        r"except (json.JSONDecodeError, RecursionError) as error:\1",
        (f"{UNITS}/test_json_text.py", HOSTILE, "-k", "json or hostile"),
    ),
    "bytes that are not UTF-8": without(
        JSON_TEXT,
        r"body\.decode\(\)",
        'body.decode(errors="replace")',
        (f"{UNITS}/test_json_text.py",),
    ),
    "control characters": without(
        TEXT,
        r"and not _CLEAN\.fullmatch\(value\)",
        "and False",
        (f"{UNITS}/test_text.py", f"{UNITS}/test_admission.py"),
    ),
    "bodies announced too large": never(
        BODY, r"declared\.isdecimal\(\) and [^:]*", (HOSTILE, "-k", "announced")
    ),
    "keys before bodies": without(
        WEB,
        r"bearer = self\._guard\.admit\(request\)",
        "await body.discard(); bearer = self._guard.admit(request)",
        (HOSTILE, "-k", "without_a_key"),
    ),
    "depth": never(JSON_TEXT, "depth > most", (f"{UNITS}/test_json_text.py",)),
    "size of an event": never(
        JSON_TEXT, r"_is_longer\(.*?\)", (f"{UNITS}/test_json_text.py",)
    ),
    "bytes of an event": without(
        JSON_TEXT, r" or len\(text\[begin:end\]\.encode\(\)\) > bytes_max", "", (FOUND,)
    ),
    "depth of data in binary mode": without(
        JSON_TEXT, "levels_above=1", "levels_above=0", (FOUND,)
    ),
    "persons in what is told": without(
        ADMISSION,
        r"return text if kind_of\(text\) is None else None",
        "return text",
        (FOUND,),
    ),
    "persons in names that are told": without(
        TEXT,
        r"return name if kind_of\(name\) is None else \"\(not repeated\)\"",
        "return name",
        (FOUND,),
    ),
    "records that cannot be read": without(
        "services/ingest/submissions/fetching.py",
        r"\(UnicodeDecodeError, ",
        "(",
        (f"{UNITS}/test_submission_fetching.py",),
    ),
    "what came before one that cannot be read": without(
        "services/ingest/submissions/fetching.py",
        r"seek\(partition, start\)\n +try:",
        "paused()\n            try:",
        (f"{UNITS}/test_submission_fetching.py",),
    ),
    "length of a line": never(
        "services/ingest/core/lines.py",
        r"len\(self\._begun\) > self\._bytes_max",
        (f"{UNITS}/test_lines.py",),
    ),
    "an attribute in two fields": never(
        "services/ingest/core/binary_mode.py",
        "name in event",
        (f"{UNITS}/test_binary_mode.py",),
    ),
    "ratio of unpacking": never(
        ENCODINGS, r"self\._plain_bytes > most", (f"{UNITS}/test_encodings.py",)
    ),
    "pieces of unpacking": without(
        ENCODINGS,
        r"_member\.decompress\(packed, .*?\)",
        "_member.decompress(packed)",
        (f"{UNITS}/test_encodings.py",),
    ),
    "window of zstd": without(
        ENCODINGS,
        r"ZstdDecompressor\(options=window\)",
        "ZstdDecompressor()",
        (f"{UNITS}/test_encodings.py",),
    ),
    "end of a packed body": never(
        ENCODINGS, r"not self\._unpacker\.is_whole", (f"{UNITS}/test_encodings.py",)
    ),
    "pace of a body": without(
        BODY,
        r"timeout_at\(min\(until, patience\)\)",
        "timeout_at(None)",
        (HOSTILE, "-k", "slow_body"),
    ),
    "pace of a body that has not come": without(
        BODY, r"BODY_HAS_COME in [^:]*", "True", (HOSTILE, "-k", "slow_body")
    ),
    "pace of a body of which a part has come": without(
        PROTOCOL,
        r"(super\(\)\.on_body\(body\))",
        r'\1; self.cycle.scope["state"][BODY_HAS_COME] = True',
        (HOSTILE, "-k", "slow_body"),
    ),
    "size of a body": without(
        BODY,
        r"if len\(body\) > bytes_max:",
        "if False:",
        (HOSTILE, "-k", "hostile_batch or same_bound"),
    ),
    "what all requests hold": never(
        BODY, r"after > before and [^:]*", (HOSTILE, "-k", "hold_a_bounded")
    ),
    "number of events": never(
        "services/ingest/wire/modes.py",
        r"count > bounds\.events_max",
        (HOSTILE, "-k", "hostile_batch"),
    ),
    "strict query": never(WEB, r"name not in found or [^:]*", (HOSTILE, "-k", "wish")),
    "number of streams": never(
        WEB, r"len\(self\._streams\) >= settings\.streams_max", (STREAMS, "-k", "few")
    ),
    "streams that wait for their rate and end with the service": without(
        WEB,
        r"decided\.received, body\.rest\)",
        "decided.received)",
        (STREAMS, "-k", "waits_for_its_agencys_rate"),
    ),
    "end of streams with the service": without(
        WEB,
        r"body\.interrupt\(_stopping\(\)\)",
        "pass",
        (STREAMS, "-k", "service_that_stops"),
    ),
    "streams not begun while the service stops": never(
        WEB, r"self\._is_stopping", (STREAMS, "-k", "service_that_stops")
    ),
    "key of a stream": without(
        "services/ingest/guard/guard.py",
        r"    def bearer\(",
        "    @__import__('functools').cache\n    def bearer(",
        (STREAMS, "-k", "key_that_is_taken"),
    ),
    "confirmation of a part": never(
        NDJSON, "problem is not None", (STREAMS, "-k", "unconfirmed")
    ),
    "waiting for the log": without(
        NDJSON,
        r"while len\(self\._under_way\) >= [^:]*:",
        "while False:",
        (STREAMS, "-k", "slow_log"),
    ),
    "bytes of a head": never(
        PROTOCOL,
        r"self\._unseen_bytes > [^:]*",
        (LIMITS, "-k", "none or fields_behind"),
    ),
    "fields of a head": never(
        PROTOCOL, r"self\._is_head_large", (LIMITS, "-k", "none")
    ),
    "time for a head": without(
        PROTOCOL, r"self\._limits\.head_seconds,", "3_600,", (LIMITS, "-k", "slowly")
    ),
    "time for an answer": without(
        PROTOCOL,
        r"self\._limits\.unread_seconds,",
        "3_600,",
        (LIMITS, "-k", "does_not_read"),
    ),
    "requests behind one another": never(
        PROTOCOL, r"len\(self\.pipeline\) > [^:]*", (LIMITS, "-k", "behind")
    ),
    "open requests": never(
        PROTOCOL,
        r"len\(self\.connections\) > most or [^:]*",
        (LIMITS, "-k", "come_back"),
    ),
    "connections that ask nothing": never(
        PROTOCOL, r"len\(self\.connections\) > 2 [^:]*", (LIMITS, "-k", "beyond_all")
    ),
    "count of heads that are none": without(
        PROTOCOL, r"self\._note\(refusal\.reason\)", "pass", (LIMITS, "-k", "none")
    ),
    "count of who is told to come back": without(
        PROTOCOL,
        r"self\._note\(TOO_BUSY\.reason\)",
        "pass",
        (LIMITS, "-k", "come_back"),
    ),
    "nobody's word on who asks": without(
        "shared/http.py",
        r"proxy_headers=trusted_proxies [^\n]*\n[^\n]*\n",
        "\n",
        (LIMITS, "-k", "believed"),
    ),
    "proxies that are everybody": without(
        "shared/settings.py",
        r"if not network\.prefixlen:",
        "if False:",
        PROXIES,
    ),
    "broken framing": without(
        PROTOCOL,
        r"if BROKEN_FRAMING in state else",
        "if False else",
        (LIMITS, "-k", "chunks_break"),
    ),
    "addresses as they stand": without(
        "shared/http.py",
        r"redirect_slashes = False",
        "redirect_slashes = True",
        (LIMITS, "-k", "address"),
    ),
}
