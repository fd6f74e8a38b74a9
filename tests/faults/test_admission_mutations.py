"""With a check of the quick way through the door taken out, its tests must fail.

As `test_mutations`; all of it is shown by tests without servers.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.test_mutations import SECONDS_MAX, Edit, Mutation, fail_with

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.timeout(SECONDS_MAX + 60),
]

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


def without(
    place: str, fragment: str, replacement: str, tests: tuple[str, ...] = ALIKE
) -> Mutation:
    """Take one thing out of one file."""
    return Mutation((Edit(place, fragment, replacement),), tests)


MUTATIONS: Mapping[str, Mutation] = {
    "repeated keys": without(PLAIN, r"event if text\.count[^\n]*", "event"),
    "escapes": without(PLAIN, r' or b"\\\\" in text', ""),
    "size of an event": without(PLAIN, r"len\(text\) > bytes_max or ", ""),
    "bounds of a count": without(PLAIN, r"ge=1, le=COUNT_MAX", "ge=0"),
    "clean ids": without(PRECEDENTS, r"not id_\.isprintable\(\) or ", ""),
    "ids that name nobody": without(PRECEDENTS, r" or kind_of\(id_\) is not None", ""),
    "subjects that name nobody": without(
        PRECEDENTS, r"all\(kind_of\(other\) is None for other in others\)", "True"
    ),
    "instants ahead": without(PRECEDENTS, r"time > self\._latest or ", ""),
    "closed days": without(PRECEDENTS, r" or day < self\._oldest_day", ""),
    "one local day": without(
        PRECEDENTS, r" or local\.date\(\) != local_last\.date\(\)", ""
    ),
    "amounts alone": without(
        PRECEDENTS, r"precedent\.is_amount_only and count != 1", "False"
    ),
    "amounts where there is none": without(
        PRECEDENTS, r"data\.amount != ABSENT,\n        \)", "True,\n        )"
    ),
    "another agency": without(
        PRECEDENTS, r"known\.number_of\(door\.agency\)", "1", ALIKE
    ),
    "another catalogue": without(
        PRECEDENTS, r" or self\._known\.catalogue is not door\.catalogue", ""
    ),
    "what is remembered": without(
        PRECEDENTS, r"len\(self\.found\) >= self\.most", "False"
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
        HTTP,
        r", handler=application\.exception_handlers\[Exception\]",
        "",
        STRAIGHT,
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
async def test_tests_fail_without(name: str, tmp_path: Path) -> None:
    """Whoever takes this out of the code hears of it."""
    await fail_with(MUTATIONS[name], tmp_path)
