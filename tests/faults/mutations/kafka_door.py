"""Rules of the Kafka side of the door."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

SUBMITTED = ("tests/unit/ingest/test_submission_reader.py",)
RATED = ("tests/unit/ingest/test_rates.py",)
JUDGED = ("tests/unit/ingest/test_submissions.py",)
PERMITTED = ("tests/unit/shared/test_permissions.py",)
SECURED = ("tests/unit/shared/test_secure_settings.py",)
REPLACED = ("tests/unit/shared/test_producer.py",)
BOUNDED = ("tests/unit/ingest/test_publisher.py",)
REFUSED = ("tests/unit/shared/test_refusal.py",)
DRAINED = ("tests/unit/shared/test_http_drain.py",)
UNCONFIRMED = ("tests/unit/ingest/test_unconfirmed.py",)
UNSAID = ("tests/unit/ingest/test_nothing_sent_is_logged.py",)
ENDED = ("tests/integration/test_door_process.py", "-k", "end_with_the_service")
SHARED = ("tests/integration/test_submission_rates.py",)
STOPPED = ("tests/faults/test_slow_broker.py", "-k", "answers_what_is_open")
SUBMISSIONS = "services/ingest/submissions"
WEB = "services/ingest/web.py"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "units": (
        *SUBMITTED,
        *RATED,
        *JUDGED,
        *PERMITTED,
        *SECURED,
        *REPLACED,
        *DRAINED,
        *BOUNDED,
        *REFUSED,
        *UNCONFIRMED,
        *UNSAID,
    ),
    "ended": ENDED,
    "shared": SHARED,
    "stopped": STOPPED,
}
MUTATIONS: Mapping[str, Mutation] = {
    "commit only after the log has confirmed": without(
        f"{SUBMISSIONS}/reader.py",
        r"^( +)(await self\._take\(agency, records\))$",
        r"\1await _commit(consumer, partition, records[-1].offset + 1)\n\1\2",
        SUBMITTED,
    ),
    "submissions that are put back": without(
        f"{SUBMISSIONS}/reader.py",
        r"consumer\.seek\(partition, offset\)",
        "pass",
        SUBMITTED,
    ),
    "agencies that have lost their topic": without(
        f"{SUBMISSIONS}/reader.py", r"or not agency\.kafka ", "", SUBMITTED
    ),
    "submissions that were deleted unread": without(
        f"{SUBMISSIONS}/reader.py", r"if start > committed:", "if False:", SUBMITTED
    ),
    "topic as the credential": without(
        "services/ingest/core",
        r"if not agency\.owns_source\(source\):",
        "if False:",
        JUDGED,
    ),
    "instant of submission": without(
        f"{SUBMISSIONS}/judge.py",
        r"if submission\.submitted_at != door\.now:",
        "if door.now.timestamp() == 0:",
        JUDGED,
    ),
    "bytes left out of what is refused": without(
        f"{SUBMISSIONS}/judge.py",
        r'bytes=""',
        'bytes=(submission.value or b"").decode()',
        JUDGED,
    ),
    "attributes said twice": without(
        f"{SUBMISSIONS}/decode.py", r"if is_new else Repeated.*?\)", "", JUDGED
    ),
    "own topics only": without(
        "shared/kafka/permissions.py",
        r"Right\(principal, topic, literal, submissions, Operation\.WRITE\)",
        "Right(principal, topic, _BEGINNING, submissions, Operation.WRITE)",
        PERMITTED,
    ),
    "groups apart from those of services": without(
        "shared/kafka/permissions.py",
        r'f"agency\.\{agency\}\."',
        'f"{agency}."',
        PERMITTED,
    ),
    "check of the host name": without(
        "shared/tls.py",
        r"context\.minimum_version",
        "context.check_hostname = False; context.minimum_version",
        SECURED,
    ),
    "check of the certificate": without(
        "shared/tls.py",
        r"ssl\.create_default_context\(cafile=ca_file\)",
        "ssl.SSLContext(ssl.PROTOCOL_TLS)",
        SECURED,
    ),
    "passwords that would protect nothing": without(
        "shared/settings.py", r"if is_set and not is_used:", "if False:", SECURED
    ),
    "secrets given twice": without(
        "shared/secret_files.py", r"if variable in os\.environ:", "if False:", SECURED
    ),
    "addresses that drivers would quote": without(
        "shared/postgres/dsn.py", r"if parts is None:", "if False:", SECURED
    ),
    "rate of an agency's topic": without(
        f"{SUBMISSIONS}/reader.py",
        r"self\._rates\.take_some\(agency, len\(records\)\)",
        "len(records), 0.0",
        SUBMITTED,
    ),
    "no more taken than the rate lets through": without(
        f"{SUBMISSIONS}/reader.py", r"records\[:count\]", "records", SUBMITTED
    ),
    "wait of a topic beyond its rate": without(
        f"{SUBMISSIONS}/reader.py",
        r"self\._waiting\.hold\((.*?)_read_again_later\([^\n]*",
        r"self._waiting.hold(\1pass",
        SUBMITTED,
    ),
    "bound of that wait": without(
        f"{SUBMISSIONS}/reader.py",
        r"min\(wait_seconds, HOLD_SECONDS_MAX\)",
        "wait_seconds",
        SUBMITTED,
    ),
    "one rate for both ways in": without(
        "services/ingest/app.py",
        r"rates=guard\.rates",
        "rates=type(guard.rates)(events_per_second=1e4, burst_events=10**5)",
        SHARED,
    ),
    "room for what waits": without(
        "services/ingest/publisher.py",
        r"held and held \+ size_bytes > WAITING_BYTES_MAX",
        "False",
        BOUNDED,
    ),
    "refusals that are no outage": without(
        "shared/kafka/refusal.py",
        r"isinstance\(error, ssl\.SSLCertVerificationError\)",
        "False",
        REFUSED,
    ),
    "batches of one request": without(
        "services/ingest/publisher.py",
        r"await self\._submit_batch\(producer, key, values, pending\)",
        "pending += [await producer.send(EVENTS, each) for each in values]",
        BOUNDED,
    ),
    "deadline of a request": without(
        "shared/kafka/producer.py",
        r"asyncio\.timeout\(timeout_seconds\)",
        "asyncio.timeout(None)",
        REPLACED,
    ),
    "deadline that is set": without(
        "services/ingest/publisher.py",
        r"(self\._confirm, timeout_seconds=)ack_timeout_seconds",
        r"\g<1>3_600",
        BOUNDED,
    ),
    "503 for what was not confirmed": without(
        WEB,
        r"(self\._publisher\.append.*?except TransientError as error:)",
        r"\1\n            return",
        UNCONFIRMED,
    ),
    "Retry-After with it": without(
        WEB, r'("not-confirmed",[^}]*?)headers=\{[^}]*\}', r"\1headers={}", UNCONFIRMED
    ),
    "nothing remembered of it": without(
        WEB,
        r"await self\._publisher\.append\(",
        "seen = self.__dict__.setdefault('seen', set())\n"
        "            if decided.admitted[0].id in seen:\n"
        "                return\n"
        "            seen.add(decided.admitted[0].id)\n"
        "            await self._publisher.append(",
        UNCONFIRMED,
    ),
    "our certificate": without(
        "shared/tls.py", r"if certificate_file is not None:", "if False:", SECURED
    ),
    "answers to what is open when a service stops": without(
        "services/ingest/app.py", r"await drain\.empty\(\)", "pass", STOPPED
    ),
    "end of streams when a service stops": without(
        "services/ingest/app.py",
        r"door\.stop\(\)",
        "pass",
        ENDED,
    ),
    "nothing of a request in the log": without(
        WEB,
        r'"events": len\(decided\.admitted\),',
        '"events": [each.id for each in decided.admitted],',
        UNSAID,
    ),
    "nothing of a submission in the log": without(
        f"{SUBMISSIONS}/reader.py",
        r'"refused": len\(judged\.refused\),',
        '"refused": str(judged.refused),',
        UNSAID,
    ),
    "producers that are replaced": without(
        "shared/kafka/producer.py", r"not error\.retriable", "False", REPLACED
    ),
    "producers that are kept": without(
        "shared/kafka/producer.py", r"not error\.retriable", "True", REPLACED
    ),
    "producers that are cut off": without(
        "shared/kafka/producer.py", r"await _cut_off\(producer\)", "pass", REPLACED
    ),
    "requests that come while a service stops": without(
        "shared/http_drain.py", r"if self\._is_draining:", "if False:", DRAINED
    ),
}
