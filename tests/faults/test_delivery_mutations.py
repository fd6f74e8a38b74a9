"""With a rule of deliveries taken out of the code, its tests must fail.

As `test_mutations`; most of it is shown by tests without servers.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.test_mutations import (
    SECONDS_MAX,
    Mutation,
    copy_tree,
    fail_with,
    run_tests,
)
from tests.faults.test_path_mutations import without

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.timeout(SECONDS_MAX + 60),
]

RULES = ("tests/unit/alerting/test_webhooks.py",)
RETRIES = (
    "tests/unit/alerting/test_retries.py",
    "tests/property/test_webhook_laws.py",
)
FILE = ("tests/unit/alerting/test_endpoints.py",)
SENT = ("tests/integration/test_alerting_webhooks.py",)
TOLD = ("tests/integration/test_alerting_deliveries.py",)

SIGNED = "services/alerting/core/webhooks.py"
REACH = "services/alerting/core/reach.py"
AGAIN = "services/alerting/core/retries.py"
ENDPOINTS = "services/alerting/endpoints.py"
SENDER = "services/alerting/relay/webhooks.py"
ALERTMANAGER = "services/alerting/relay/alertmanager.py"
SQL = "services/alerting/sql/delivery.sql"
CLAIMS = "services/alerting/sql/queries.sql"

MUTATIONS: Mapping[str, Mutation] = {
    "instant in the signature": without(
        SIGNED,
        r"\(message_id\.encode\(\), seconds\.encode\(\), body\)",
        "(message_id.encode(), body)",
        RULES,
    ),
    "length of secrets": without(
        SIGNED,
        r"if not SECRET_BYTES_MIN <= len\(key\) <= SECRET_BYTES_MAX:",
        "if False:",
        RULES,
    ),
    "signature by both secrets": without(
        SIGNED, r"for key in keys\)", "for key in keys[:1])", RULES
    ),
    "provinces of a webhook": without(
        SIGNED,
        r"\(each\.provinces is None or told\.province in each\.provinces\)",
        "True",
        RULES,
    ),
    "private addresses": without(REACH, r"found\.is_global and ", "", RULES),
    "addresses in disguise": without(
        REACH, r"if inner is not None:", "if False:", RULES
    ),
    "zones of addresses": without(
        REACH, r"if found\.scope_id is not None:", "if False:", RULES
    ),
    "multicast addresses": without(REACH, r" and not found\.is_multicast", "", RULES),
    "judging the address at the socket": without(
        SENDER,
        r"if not may_reach\(str\(address\[0\]\), self\._networks\):",
        "if False:",
        SENT,
    ),
    "redirects not followed": without(
        SENDER, r"allow_redirects=False", "allow_redirects=True", SENT
    ),
    "https for webhooks": without(
        ENDPOINTS,
        r'if parts\.scheme != "https" and .*?:\n',
        'if parts.scheme not in {"http", "https"}:\n',
        FILE,
    ),
    "addresses and secrets kept out of print": without(
        ENDPOINTS, r"url: str = field\(repr=False\)", "url: str", FILE
    ),
    "passwords in addresses": without(
        ENDPOINTS, r'if "@" in parts\.netloc:', "if False:", FILE
    ),
    "outages that give nothing up": without(
        AGAIN,
        r"\(answer\.outcome is Outcome\.REFUSED\)",
        "(answer.outcome is not Outcome.TAKEN)",
        RETRIES,
    ),
    "end of what is refused": without(
        AGAIN, r"refusals >= REFUSALS_MAX or ", "", RETRIES
    ),
    "end of what is too old": without(
        AGAIN, r" or is_too_old\(waiting\.queued_at, now, keep\)", "", RETRIES
    ),
    "one message to a receiver that is away": without(
        AGAIN, r"failures=failures, allowance=1", "failures=failures", RETRIES
    ),
    "bound of Retry-After": without(
        AGAIN, r"min\(retry_after, ASKED_LONGEST\)", "retry_after", RETRIES
    ),
    "order within an alert": without(SQL, r"DISTINCT ON \(d\.fingerprint\)", "", SENT),
    "one sender for a webhook": without(
        SQL, r"\n        AND c\.claimed_until <= clock_timestamp\(\)", "", SENT
    ),
    "end that is told until it was taken": without(
        CLAIMS,
        r"\n            OR d\.told_until > clock_timestamp\(\) - \$4::interval\n"
        r".*?\n            \)\)",
        "\n            AND $4::interval IS NOT NULL)",
        TOLD,
    ),
    "parents before children": without(
        CLAIMS,
        r"\n        array_position\(\n.*?\n        \),",
        "",
        TOLD,
    ),
    "word of unknown targets": without(
        ALERTMANAGER, r"return kept_quiet_by \+ bodies", "return bodies", TOLD
    ),
}


@pytest.mark.parametrize("tests", [RULES, RETRIES, FILE, SENT, TOLD], ids=" ".join)
async def test_copied_tree_passes_as_it_is(
    tests: tuple[str, ...], tmp_path: Path
) -> None:
    """Or a failure after a mutation would mean nothing."""
    status, said = await run_tests(copy_tree(tmp_path / "tree"), tests)
    assert status == 0, said


@pytest.mark.parametrize("name", MUTATIONS)
async def test_tests_fail_without(name: str, tmp_path: Path) -> None:
    """Whoever takes this rule out of the code hears of it."""
    await fail_with(MUTATIONS[name], tmp_path)
