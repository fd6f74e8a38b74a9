"""Laws of what is taken for a person: made-up ids pass, real-shaped numbers never."""

import hashlib
import string
import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.personal import Personal, kind_of

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ALNUM = string.ascii_letters + string.digits
SEPARATORS = " _-/:.,;#()[]{}'\"|="

BYTES = st.binary(min_size=16, max_size=16)
INSTANTS = st.integers(946_684_800_000_000, 4_102_444_800_000_000).map(
    lambda micros: datetime.fromtimestamp(micros / 1_000_000, UTC)
)


def _digits(count: int) -> st.SearchStrategy[str]:
    return st.text(string.digits, min_size=count, max_size=count)


def uuid_of(data: bytes, version: int) -> str:
    """Make a UUID of a version out of random bytes."""
    return str(uuid.UUID(bytes=data, version=min(version, 5)))


def digest_of(data: bytes, algorithm: str) -> str:
    """Hash as people hash for ids."""
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


def stamp_of(instant: datetime, form: str) -> str:
    """Write an instant as systems write it into ids."""
    seconds = int(instant.timestamp())
    micros = seconds * 1_000_000 + instant.microsecond
    return {
        "seconds": str(seconds),
        "millis": str(micros // 1_000),
        "micros": str(micros),
        "nanos": str(micros * 1_000),
        "iso": instant.isoformat(),
    }.get(form) or instant.strftime(form)


UUIDS = st.one_of(
    st.builds(uuid_of, BYTES, st.integers(1, 5)),
    # Of digits alone: the hardest for whoever looks at groups.
    st.builds(
        lambda a, b, c, d, e: f"{a}-{b}-4{c}-8{d}-{e}",
        _digits(8),
        _digits(4),
        _digits(3),
        _digits(3),
        st.integers(1, 96).map(lambda p: f"{p:03}090012345"),
    ),
)
ULIDS = st.text(CROCKFORD, min_size=25, max_size=25).map(lambda rest: f"0{rest}")
HASHES = st.builds(digest_of, BYTES, st.sampled_from(["md5", "sha1", "sha256"]))
STAMPS = st.builds(
    stamp_of,
    INSTANTS,
    st.sampled_from(
        [
            "seconds",
            "millis",
            "micros",
            "nanos",
            "iso",
            "%Y%m%d%H%M%S",
            "%Y%m%d%H%M",
            "%Y%m%d%H%M%S%f",
            "%Y%m%d-%H%M%S",
            "%Y-%m-%d %H:%M:%S.%f",
        ]
    ),
)
COUNTERS = st.integers(0, 10**9 - 1).map(lambda number: f"{number:012}")
# Eight random bytes: of 16 letters and digits, at times of digits alone.
HEXES = st.one_of(st.integers(0, 2**64 - 1).map(lambda n: f"{n:016x}"), _digits(16))
IDS = st.one_of(UUIDS, ULIDS, HASHES, STAMPS, COUNTERS, HEXES)


CITIZENS = st.builds(
    lambda province, rest: f"{province:03}{rest}", st.integers(1, 96), _digits(9)
)
PHONES = st.builds(
    lambda prefix, first, rest: f"{prefix}{first}{rest}",
    st.sampled_from(["0", "+84"]),
    st.sampled_from("123456789"),
    _digits(8),
)
EMAILS = st.builds(
    lambda name, domain: f"{name}@{domain}",
    st.text(ALNUM + "._+-", min_size=1, max_size=20),
    st.sampled_from(["gmail.com", "thanhhoa.gov.vn", "a-b.io", "example.co"]),
)
PEOPLE = st.one_of(
    st.tuples(st.just(Personal.CITIZEN), CITIZENS),
    st.tuples(st.just(Personal.PHONE), PHONES),
    st.tuples(st.just(Personal.EMAIL), EMAILS),
)
AROUND = st.text(SEPARATORS, max_size=3)


@given(IDS, st.sampled_from(["", "order-", "urn:uuid:", "vn/38/", "x_"]))
def test_made_up_id_is_never_taken_for_a_person(made_up: str, before: str) -> None:
    """UUIDs, ULIDs, hashes, instants and counters, alone or with a prefix."""
    assert kind_of(before + made_up) is None


@given(PEOPLE, AROUND, AROUND)
def test_person_is_found_between_any_separators(
    person: tuple[Personal, str], before: str, after: str
) -> None:
    """Whatever stands round the token, as long as it is no letter or digit."""
    kind, text = person
    assert kind_of(before + text + after) is kind


@given(
    st.one_of(CITIZENS, PHONES.filter(lambda phone: phone[0] == "0")),
    st.sampled_from([*string.ascii_letters, *"ếЖ漢", "7" * 20]),
)
def test_letter_or_digit_beside_it_makes_it_part_of_another_token(
    number: str, beside: str
) -> None:
    """Or hashes would be refused at random."""
    assert kind_of(beside + number) is None
    assert kind_of(number + beside) is None
