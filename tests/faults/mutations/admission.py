"""Checks of the quick way through the door."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

ALIKE = (
    "tests/unit/ingest/test_plain.py",
    "tests/unit/ingest/test_precedents.py",
    "tests/property/test_plain_events.py",
)
TOGETHER = ("tests/unit/shared/test_companies.py",)
PLAIN = "services/ingest/wire/plain.py"
PRECEDENTS = "services/ingest/core/precedents.py"
COMPANIES = "shared/kafka/companies.py"
STRAIGHT = ("tests/unit/shared/test_http.py",)
HTTP = "shared/http.py"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "alike": ALIKE,
    "together": TOGETHER,
    "straight": STRAIGHT,
}
MUTATIONS: Mapping[str, Mutation] = {
    "repeated keys": without(PLAIN, r"event if text\.count[^\n]*", "event", ALIKE),
    "escapes": without(PLAIN, r' or b"\\\\" in text', "", ALIKE),
    "size of an event": without(PLAIN, r"len\(text\) > bytes_max or ", "", ALIKE),
    "bounds of a count": without(PLAIN, r"ge=1, le=COUNT_MAX", "ge=0", ALIKE),
    "clean ids": without(PRECEDENTS, r"not id_\.isprintable\(\) or ", "", ALIKE),
    "ids that name nobody": without(
        PRECEDENTS, r" or kind_of\(id_\) is not None", "", ALIKE
    ),
    "subjects that name nobody": without(
        PRECEDENTS,
        r"all\(kind_of\(other\) is None for other in others\)",
        "True",
        ALIKE,
    ),
    "instants ahead": without(PRECEDENTS, r"time > self\._latest or ", "", ALIKE),
    "closed days": without(PRECEDENTS, r" or day < self\._oldest_day", "", ALIKE),
    "one local day": without(
        PRECEDENTS, r" or local\.date\(\) != local_last\.date\(\)", "", ALIKE
    ),
    "amounts alone": without(
        PRECEDENTS, r"precedent\.is_amount_only and count != 1", "False", ALIKE
    ),
    "amounts where there is none": without(
        PRECEDENTS, r"data\.amount != ABSENT,\n        \)", "True,\n        )", ALIKE
    ),
    "another agency": without(
        PRECEDENTS, r"known\.number_of\(door\.agency\)", "1", ALIKE
    ),
    "another catalogue": without(
        PRECEDENTS, r" or self\._known\.catalogue is not door\.catalogue", "", ALIKE
    ),
    "what is remembered": without(
        PRECEDENTS, r"len\(self\.found\) >= self\.most", "False", ALIKE
    ),
    "word to all of a company": without(
        COMPANIES, r"company\.fail\(str\(error\)\)", "pass", TOGETHER
    ),
    "word to a company that is given up": without(
        COMPANIES, r'company\.fail\("kafka[^)]*\)', "pass", TOGETHER
    ),
    "size of a company": without(
        COMPANIES, r" or company\.size_bytes \+ [^:]*", "", TOGETHER
    ),
    "end of a wait for the way": without(
        COMPANIES, r"timeout_at\(until\)", "timeout_at(None)", TOGETHER
    ),
    "departures": without(
        COMPANIES, r"asyncio\.sleep\(leaves_at[^)]*\)\)", "asyncio.sleep(0)", TOGETHER
    ),
    "one departure for all": without(
        COMPANIES, r"\(now // DEPARTURE_SECONDS \+ 1\) \*", "now +", TOGETHER
    ),
    "straight for one method": without(
        HTTP,
        r'\(scope\["method"\], scope\["path"\]\) == self\._asked',
        'scope["path"] == self._asked[1]',
        STRAIGHT,
    ),
    "straight for one address": without(
        HTTP,
        r'\(scope\["method"\], scope\["path"\]\) == self\._asked',
        'scope["method"] == self._asked[0]',
        STRAIGHT,
    ),
    "word of a failure that went straight": without(
        HTTP, r", handler=application\.exception_handlers\[Exception\]", "", STRAIGHT
    ),
}
