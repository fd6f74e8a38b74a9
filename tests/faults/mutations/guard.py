"""Who may send what, and what names a person."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

PERSONAL = (
    "tests/unit/ingest/test_personal.py",
    "tests/property/test_personal_data.py",
)
DECIDED = (
    "tests/unit/ingest/test_admission.py",
    "tests/unit/ingest/test_admission_data.py",
)
KEYS = ("tests/unit/shared/test_keys.py",)
FILES = ("tests/unit/shared/test_catalogue_refusals.py",)
FOLLOWED = ("tests/unit/shared/test_watch.py",)
GUARDED = ("tests/unit/ingest/test_guard.py", "tests/unit/ingest/test_rates.py")
COMMANDS = ("tests/unit/cli/test_agency_keys.py",)

ADMISSION = "services/ingest/core/admission.py"
PERSONS = "services/ingest/core/personal.py"
RING = "shared/catalogue/keys.py"
WATCH = "shared/catalogue/watch.py"
GUARD = "services/ingest/guard/guard.py"
AUDIT = "shared/audit.py"
FOLLOWING = "shared/followed.py"
LIMITS = "services/ingest/guard/limits.py"
VERBS = "services/cli/agency_keys.py"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "personal": PERSONAL,
    "decided": DECIDED,
    "keys": KEYS,
    "files": FILES,
    "followed": FOLLOWED,
    "guarded": GUARDED,
    "commands": COMMANDS,
}
PERSONS_OUT: Mapping[str, Mutation] = {
    "refusal of personal data": without(
        ADMISSION,
        r"\(personal := find_personal\(raw\)\)",
        "(personal := None)",
        PERSONAL,
    ),
    "personal ids kept out of the receipt": without(
        ADMISSION, r" and kind_of\(found\) is None", "", PERSONAL
    ),
    "names among the texts that are looked at": without(
        PERSONS, r"texts\.extend\(value\)", "pass", PERSONAL
    ),
    "citizens' numbers": without(
        PERSONS, r"length == _CITIZEN_DIGITS", "False", PERSONAL
    ),
    "phone numbers": without(PERSONS, r"length == _PHONE_DIGITS ", "False ", PERSONAL),
    "phone numbers from abroad": without(
        PERSONS, r"if is_abroad and", "if False and", PERSONAL
    ),
    "e-mail addresses": without(
        PERSONS, r"_EMAIL\.search\(text\) is not None", "False", PERSONAL
    ),
    "whole tokens only": without(
        PERSONS, r"\(\?<!\[\^\\W_\]\)(\\d\{10,12\})\(\?!\[\^\\W_\]\)", r"\1", PERSONAL
    ),
    "UUIDs let through": without(PERSONS, r'_UUID\.sub\("-", text\)', "text", PERSONAL),
}
OWNERS_OUT: Mapping[str, Mutation] = {
    "sources of an agency": without(
        ADMISSION, r"if not agency\.owns_source\(source\):", "if False:", DECIDED
    ),
    "paths compared by segments": without(
        "shared/catalogue/model.py",
        r'source\.startswith\(f"\{own\}/"\)',
        "source.startswith(own)",
        DECIDED,
    ),
    "indicators of an agency": without(
        ADMISSION, r"if name not in door\.agency\.indicators:", "if False:", DECIDED
    ),
    "localities of an agency": without(
        ADMISSION,
        r"if not tree\.is_within\(leaf, door\.agency\.locality, day\):",
        "if False:",
        DECIDED,
    ),
    "source of a reversed event": without(
        ADMISSION,
        r'_own_source\(data\.get\("source", source\), "data\.source", door\)',
        'str(data.get("source", source))',
        DECIDED,
    ),
}
KEYS_OUT: Mapping[str, Mutation] = {
    "comparison of keys": without(
        RING, r"hmac\.compare_digest\(entry\.key\.sha256, wanted\)", "True", KEYS
    ),
    "comparison in constant time": without(
        RING,
        r"hmac\.compare_digest\(entry\.key\.sha256, wanted\)",
        "entry.key.sha256 == wanted",
        KEYS,
    ),
    "secret of the process": without(RING, r"key=secret, ", "", KEYS),
    "last day of a key": without(RING, r" and day > key\.last_day", " and False", KEYS),
    "sources of a key": without(
        RING, r"agency\.sources if key\.sources is None else key\.sources", "()", KEYS
    ),
    "indicators of a key": without(
        RING,
        r"agency\.indicators if key\.indicators is None else key\.indicators",
        "agency.indicators",
        GUARDED,
    ),
    "locality of a key": without(
        RING,
        r"agency\.locality if key\.locality is None else key\.locality",
        "agency.locality",
        GUARDED,
    ),
    "either of two keys": without(
        RING, r"for key in agency\.keys\b", "for key in agency.keys[-1:]", KEYS
    ),
    "no more than two keys": without(
        "shared/catalogue/shapes.py",
        r"list\[AgencyKeyShape\], Field\(max_length=2\)",
        "list[AgencyKeyShape], Field(max_length=9)",
        FILES,
    ),
    "one header only": without(RING, r"len\(authorizations\) > 1 or ", "", KEYS),
    "the word Bearer": without(RING, r" or scheme\.lower\(\) != _SCHEME", "", KEYS),
    "keys no wider than their agency": without(
        "shared/catalogue/checks.py",
        r"^        check_bindings\(entry, tree, problems\)",
        "        pass",
        FILES,
    ),
    "refusal of the hash of nothing": without(
        "shared/catalogue/shapes.py", r"value == _SHA256_OF_NOTHING", "False", FILES
    ),
    "keys kept out of what is said of files": without(
        "shared/catalogue/files.py", r" and not is_secret", "", FOLLOWED
    ),
    "keys that follow their files": without(
        WATCH,
        r"self\._ring = KeyRing\(agencies\.values\(\), self\._mark\)",
        "pass",
        FOLLOWED,
    ),
    "files compared by what they hold": without(
        WATCH, r"digest\.update\(content\)", "pass", FOLLOWED
    ),
    "broken files that change nothing": without(
        FOLLOWING,
        r"self\._note_failure\(error\.problems\)",
        "source.take({})",
        FOLLOWED,
    ),
    "word of broken files": without(
        FOLLOWING, r"reload_successful\.set\(0\)", "reload_successful.set(1)", FOLLOWED
    ),
    "lost mounts that revoke nothing": without(
        "shared/catalogue/load.py",
        r"if not agencies and not problems\.lines:",
        "if False:",
        FOLLOWED,
    ),
    "revocation by command": without(
        VERBS, r" if key\.id not in key_ids\]", "]", COMMANDS
    ),
    "binding of a rotated key": without(
        VERBS, r"stored = replace\(keys\[-1\][^)]*\)", "stored = key.stored", COMMANDS
    ),
}
GUARD_OUT: Mapping[str, Mutation] = {
    "rates": without(GUARD, r"if not wait_seconds:", "if True:", GUARDED),
    "cost of a request without events": without(
        GUARD, r"self\.take\(request, bearer, 1\)", "pass", GUARDED
    ),
    "rates of each agency apart": without(
        LIMITS,
        r"limit\(agency\.id, (events - in_hand\)\n)",
        r'limit("all", \1',
        GUARDED,
    ),
    "events taken ahead, used once": without(
        LIMITS, r"= in_hand - events", "= in_hand", GUARDED
    ),
    "a part of events taken ahead, used once": without(
        LIMITS, r"self\._hold\(agency, self\._in_hand[^)]*\)", "pass", GUARDED
    ),
    "bound of the agencies that took ahead": without(
        LIMITS, r"len\(self\._in_hand\) >= AGENCIES_MAX", "False", GUARDED
    ),
    "streams that wait": without(
        GUARD,
        r"if wait_seconds := self\.rates\.take\(agency, part\):",
        "if wait_seconds := 0:",
        GUARDED,
    ),
    "an agency's own rate": without(
        LIMITS, r"agency\.limits\.burst_events or ", "", GUARDED
    ),
    "bound of the agencies whose rate is kept": without(
        LIMITS, r'"MAX_SIZE": AGENCIES_MAX', '"MAX_SIZE": 10**9', GUARDED
    ),
    "batches that could never pass": without(
        GUARD, r"if events > burst:", "if False:", GUARDED
    ),
    "bodies no longer than any may be": without(
        GUARD,
        r"return most if own is None else min\(own, most\)",
        "return own or most",
        GUARDED,
    ),
    "an agency's own bodies": without(
        GUARD,
        r"return most if own is None else min\(own, most\)",
        "return most",
        GUARDED,
    ),
    "a line about a wrong key": without(
        GUARD, r"self\.audit\.note\((\s+Attempt\(\s+status=401)", r"str(\1", GUARDED
    ),
    "keys kept out of that line": without(
        GUARD,
        r"(reason=denied\.reason\.value,\s+client=)\w+\(request\)",
        r'\1request.headers.get("authorization", "")',
        GUARDED,
    ),
    "a line about another's name": without(GUARD, r"if codes:", "if False:", GUARDED),
    "a line about too much": without(
        GUARD, r'self\._note\(request, 429, "rate", bearer\)', "pass", GUARDED
    ),
    "bound of the lines": without(
        AUDIT, r"if self\._limiter\.limit\([^\n]*\)\.limited:", "if False:", GUARDED
    ),
    "lines of agencies apart": without(
        AUDIT, r"if self\.agency is not None:", "if False:", GUARDED
    ),
    "last word of what has no line": without(
        AUDIT,
        r"finally:\n\s+self\.say_suppressed\(\)",
        "finally:\n            pass",
        GUARDED,
    ),
    "word of what has no line": without(
        AUDIT, r"self\._suppressed\[attempt\.reason\] \+= 1", "pass", GUARDED
    ),
}
MUTATIONS: Mapping[str, Mutation] = {
    **PERSONS_OUT,
    **OWNERS_OUT,
    **KEYS_OUT,
    **GUARD_OUT,
}
