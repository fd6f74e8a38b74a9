"""Keys are issued, rotated, listed and revoked; each is shown once and kept nowhere."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from services.cli.agency_keys import issue, print_keys, revoke, rotate
from shared.catalogue.keys import Bearer, KeyRing, make_mark
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import AgencyKey
from shared.errors import CatalogueError, FatalError

SHIPPED = Path(__file__).parents[3] / "deploy" / "catalogue" / "vietnam"
ID = "tha-voso"
Output = pytest.CaptureFixture[str]


class Today:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return a noon in Vietnam."""
        return datetime(2026, 11, 22, 5, tzinfo=UTC)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Copy the catalogue that ships."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "catalogue"))


def keys_of(catalogue: Path) -> tuple[AgencyKey, ...]:
    """Return the agency's keys, as a service reads them."""
    return load_catalogue(catalogue).agencies[ID].keys


def text_of(catalogue: Path) -> str:
    """Return the agency's file."""
    return (catalogue / "agencies" / f"{ID}.yaml").read_text(encoding="utf-8")


def test_issued_key_opens_the_door_and_stands_in_no_file(
    copied: Path, capsys: Output
) -> None:
    """The output is the key and nothing else; the file has its hash."""
    issue(agency_id=ID, catalogue=copied)
    shown = capsys.readouterr()
    key = shown.out.strip()
    assert key not in shown.err
    assert "UPTAKE_AGENCIES_POLL_SECONDS" in shown.err
    for file in copied.rglob("*"):
        assert not file.is_file() or key.encode() not in file.read_bytes()
    ring = KeyRing(load_catalogue(copied).agencies.values(), make_mark(b"x"))
    bearer = ring.find(key, Today().now().date())
    assert isinstance(bearer, Bearer)
    assert (bearer.agency.id, bearer.key_id) == (ID, "key-1")


def test_issued_keys_differ_and_are_long(copied: Path, capsys: Output) -> None:
    """256 random bits each."""
    issue(agency_id=ID, catalogue=copied)
    issue(agency_id=ID, catalogue=copied)
    one, other = capsys.readouterr().out.split()
    assert one != other
    assert min(len(one), len(other)) >= len("uptk_") + 43


def test_issued_key_is_bound_as_asked(copied: Path) -> None:
    """What is written is what a service reads; the rest of the file stays."""
    before = text_of(copied)
    issue(
        agency_id=ID,
        catalogue=copied,
        last_day="2027-06-30",
        sources=["/vn/38/voso/till", "/vn/38/voso/app"],
        indicators="ecommerce_sellers, ecommerce_buyers",
        locality="15961",
    )
    (key,) = keys_of(copied)
    assert str(key.last_day) == "2027-06-30"
    assert key.sources == ("/vn/38/voso/app", "/vn/38/voso/till")
    assert key.indicators == frozenset({"ecommerce_sellers", "ecommerce_buyers"})
    assert key.locality == "15961"
    after = text_of(copied)
    assert after.startswith(before.partition("keys:")[0])
    assert after.endswith("cadence: 24h\n")


@pytest.mark.parametrize(
    ("bound", "problem"),
    [
        ({"sources": ["/vn/38/other"]}, "none of the agency's"),
        ({"indicators": "eid_accounts"}, "none of the agency's"),
        ({"locality": "04"}, "does not lie within"),
    ],
)
def test_key_wider_than_its_agency_is_not_written(
    copied: Path, capsys: Output, bound: dict[str, object], problem: str
) -> None:
    """Nor shown."""
    before = text_of(copied)
    with pytest.raises(CatalogueError, match=problem):
        issue(agency_id=ID, catalogue=copied, **bound)  # type: ignore[arg-type] # any option
    assert text_of(copied) == before
    assert capsys.readouterr().out == ""


def test_day_that_is_none_is_refused(copied: Path) -> None:
    """In one line."""
    with pytest.raises(FatalError, match="write one like"):
        issue(agency_id=ID, catalogue=copied, last_day="next year")


def test_third_key_is_refused_with_what_to_do(copied: Path) -> None:
    """Two are for changing over."""
    issue(agency_id=ID, catalogue=copied)
    issue(agency_id=ID, catalogue=copied)
    with pytest.raises(FatalError, match="--finish, or revoke"):
        issue(agency_id=ID, catalogue=copied)


def test_rotated_key_is_bound_as_the_older_which_may_end_by_itself(
    copied: Path,
) -> None:
    """The new one has no last day unless it is given one."""
    issue(agency_id=ID, catalogue=copied, locality="15961", last_day="2027-01-31")
    rotate(agency_id=ID, catalogue=copied, old_until="2026-12-31")
    old, new = keys_of(copied)
    assert (old.id, str(old.last_day), old.locality) == (
        "key-1",
        "2026-12-31",
        "15961",
    )
    assert (new.id, new.last_day, new.locality) == ("key-2", None, "15961")
    assert old.sha256 != new.sha256


def test_revoked_key_is_gone_and_its_name_not_given_again(
    copied: Path, capsys: Output
) -> None:
    """Log lines name keys, so a name must not come to mean another key."""
    issue(agency_id=ID, catalogue=copied)
    issue(agency_id=ID, catalogue=copied)
    kept = keys_of(copied)[1]
    capsys.readouterr()
    revoke(agency_id=ID, key_ids=["key-1"], catalogue=copied)
    assert keys_of(copied) == (kept,)
    assert "key-1 revoked, key key-2 left" in capsys.readouterr().out
    issue(agency_id=ID, catalogue=copied)
    assert [key.id for key in keys_of(copied)] == ["key-2", "key-3"]


def test_last_keys_can_be_revoked_together(copied: Path, capsys: Output) -> None:
    """The agency stays, and cannot send over HTTP."""
    issue(agency_id=ID, catalogue=copied)
    issue(agency_id=ID, catalogue=copied)
    revoke(agency_id=ID, key_ids=["key-1", "key-2"], catalogue=copied)
    assert keys_of(copied) == ()
    assert "cannot send over HTTP" in capsys.readouterr().out


def test_unknown_key_revokes_nothing(copied: Path) -> None:
    """A slip in one of two names changes nothing."""
    issue(agency_id=ID, catalogue=copied)
    with pytest.raises(FatalError, match="has no key key-9; it has key-1"):
        revoke(agency_id=ID, key_ids=["key-1", "key-9"], catalogue=copied)
    assert len(keys_of(copied)) == 1
    with pytest.raises(FatalError, match="no agency nobody"):
        revoke(agency_id="nobody", key_ids=["key-1"], catalogue=copied)


def test_keys_are_listed_by_name_with_what_they_are_bound_to(
    copied: Path, capsys: Output
) -> None:
    """Within 80 columns; never a hash."""
    print_keys(copied, None, Today(), as_json=False)
    assert "no keys" in capsys.readouterr().out
    issue(agency_id=ID, catalogue=copied, last_day="2026-11-21", locality="15961")
    issue(agency_id=ID, catalogue=copied, last_day="2026-11-22")
    capsys.readouterr()
    print_keys(copied, ID, Today(), as_json=False)
    table = capsys.readouterr().out
    assert "2026-11-21 (over)" in table
    assert "2026-11-22 (over)" not in table
    assert max(map(len, table.splitlines())) <= 80
    print_keys(copied, None, Today(), as_json=True)
    text = capsys.readouterr().out
    first, second = json.loads(text)["keys"]
    assert (first["key"], first["is_valid"], first["locality"]) == (
        "key-1",
        False,
        "15961",
    )
    assert (second["is_valid"], second["locality"]) == (True, "38")
    assert keys_of(copied)[0].sha256 not in text + table


def test_written_keys_are_plain_yaml(copied: Path) -> None:
    """For whoever reads the file, or writes it by another tool."""
    issue(agency_id=ID, catalogue=copied, last_day="2027-06-30", locality="15961")
    (entry,) = yaml.safe_load(text_of(copied))["keys"]
    assert set(entry) == {"id", "sha256", "last_day", "locality"}
    assert entry["locality"] == "15961"
