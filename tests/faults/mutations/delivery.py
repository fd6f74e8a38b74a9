"""Rules of deliveries."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

RULES = ("tests/unit/alerting/test_webhooks.py",)
RETRIES = (
    "tests/unit/alerting/test_retries.py",
    "tests/property/test_webhook_laws.py",
)
FILE = (
    "tests/unit/alerting/test_endpoints.py",
    "tests/unit/alerting/test_endpoint_watch.py",
)
TLS = ("tests/integration/test_alerting_webhook_tls.py",)
SENT = ("tests/integration/test_alerting_webhooks.py",)
AGAIN_SENT = ("tests/integration/test_alerting_redeliver.py",)
TOLD = ("tests/integration/test_alerting_deliveries.py",)

SIGNED = "services/alerting/core/webhooks.py"
REACH = "services/alerting/core/reach.py"
AGAIN = "services/alerting/core/retries.py"
ENDPOINTS = "services/alerting/endpoints/file.py"
WATCH = "services/alerting/endpoints/watch.py"
SENDER = "services/alerting/relay/webhooks.py"
ALERTMANAGER = "services/alerting/relay/alertmanager.py"
REDELIVER = "services/alerting/jobs/redeliver.py"
EVALUATIONS = "services/alerting/store/evaluations.py"
SQL = "services/alerting/sql/delivery.sql"
CLAIMS = "services/alerting/sql/queries.sql"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "rules": RULES,
    "retries": RETRIES,
    "file": FILE,
    "tls": TLS,
    "sent": SENT,
    "again sent": AGAIN_SENT,
    "told": TOLD,
}
MUTATIONS: Mapping[str, Mutation] = {
    "question before anything is sent again": without(
        REDELIVER,
        r"if not wanted\.confirmed and not confirm\(question\):",
        "if False:",
        AGAIN_SENT,
    ),
    "nothing old after what is newer": without(
        REDELIVER, r" or not each\.is_overtaken", " or each", AGAIN_SENT
    ),
    "word of what is sent again": without(
        SENDER, r"_note_sent_again\(claim\.webhook, messages\)", "pass", AGAIN_SENT
    ),
    "new time for what is sent again": without(
        SQL, r"AND coalesce\(resent_at, queued_at\) <=", "AND queued_at <=", AGAIN_SENT
    ),
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
    "body in the signature": without(
        SIGNED, r"seconds\.encode\(\), body\)", "seconds.encode(), b'')", RULES
    ),
    "check of a receiver's certificate": without(
        SENDER,
        r"ssl=True if endpoint\.tls is None else endpoint\.tls",
        "ssl=False",
        TLS,
    ),
    "authorities of a webhook's own": without(
        SENDER, r"ssl=True if endpoint\.tls is None else endpoint\.tls", "ssl=True", TLS
    ),
    "no authorities for an empty file of them": without(
        ENDPOINTS,
        r"if len\(problems\.lines\) > known:",
        "if not text or len(problems.lines) > known:",
        FILE,
    ),
    "secrets that are followed": without(
        ENDPOINTS, r"digest\.update\(content\)", "pass", FILE
    ),
    "webhooks that follow their file": without(
        WATCH,
        r"old, self\._endpoints = self\.endpoints\(\), endpoints",
        "old = self.endpoints()",
        FILE,
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
        CLAIMS, r"\n        array_position\(\n.*?\n        \),", "", TOLD
    ),
    "waking of who tells Alertmanager": without(
        ALERTMANAGER, r"self\._moved\.wait\(\)", "asyncio.Event().wait()", TOLD
    ),
    "waking by the look that moves an alert": without(
        EVALUATIONS, r"        if notices and self\._moved .*?set\(\)\n", "", TOLD
    ),
    "word of unknown targets": without(
        ALERTMANAGER, r"return kept_quiet_by \+ bodies", "return bodies", TOLD
    ),
}
