"""Commands say what they did, and end with the status that is promised."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import typer

from services.cli import agency, agency_keys, catalogue
from services.cli.send import send
from shared.catalogue.load import load_catalogue
from shared.errors import CatalogueError, FatalError

SHIPPED = Path(__file__).parents[3] / "deploy" / "catalogue" / "vietnam"
Output = pytest.CaptureFixture[str]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Copy the catalogue that ships."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "catalogue"))


def exit_of_send(*files: Path, **options: str) -> int:
    """Send and return the exit status."""
    with pytest.raises(typer.Exit) as caught:
        send(files=list(files), **options)  # type: ignore[arg-type] # texts only
    return caught.value.exit_code


def test_one_wrong_file_among_several_sends_nothing(
    tmp_path: Path, capsys: Output
) -> None:
    """All files are checked first; the wrong one is named in one line, status 2."""
    good = tmp_path / "good.csv"
    good.write_text("locality,time\n15958,2026-11-03\n", encoding="utf-8")
    options = {"source": "/vn/38/voso", "indicator": "eid_accounts"}
    assert exit_of_send(good, tmp_path / "none.csv", **options) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"{tmp_path / 'none.csv'}: no such file\n"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("timezone", "Asia/Hanoi2", "no such time zone"),
        ("key", "schlüssel", "printable ASCII"),
        ("id_column", "Nr", 'no column "Nr"'),
    ],
)
def test_wrong_option_of_send_is_one_line(
    tmp_path: Path, capsys: Output, option: str, value: str, message: str
) -> None:
    """Nothing is sent, status 2; the key itself is not shown."""
    good = tmp_path / "good.csv"
    good.write_text("locality,time\n15958,2026-11-03\n", encoding="utf-8")
    options = {"source": "/a", "indicator": "eid_accounts", option: value}
    assert exit_of_send(good, **options) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "schlüssel" not in shown
    assert len(shown.splitlines()) == 1


def test_catalogue_check_counts_what_is_right(copied: Path, capsys: Output) -> None:
    """A valid catalogue is two lines."""
    catalogue.check(directory=copied)
    shown = capsys.readouterr().out
    assert "34 provinces, 3,321 communes" in shown
    catalogue.show(directory=copied)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    catalogue.show(directory=copied, as_json=True)
    assert json.loads(capsys.readouterr().out)["localities"]["commune"] == 3_321


def test_catalogue_check_names_targets_that_are_over_without_a_successor(
    copied: Path, capsys: Output
) -> None:
    """The catalogue is valid; whether somebody goes on is for people to say."""
    for file in (copied / "targets").iterdir():
        file.unlink()
    entries = [
        f"""\
- id: over-{number}
  indicator: cashless_accounts
  locality: "38"
  start: {{date: 2025-07-01, value: 1}}
  due: 2025-12-31
  goal: {{value: 2}}
  illustrative: true
"""
        for number in range(7)
    ]
    next_one = entries[0].replace("over-0", "next").replace("2025-12-31", "2099-12-31")
    next_one = next_one.replace("2025-07-01", "2025-12-31")
    text = "".join([*entries, next_one, "  succeeds: over-3\n"])
    (copied / "targets" / "over.yaml").write_text(text, encoding="utf-8")
    catalogue.check(directory=copied)
    assert capsys.readouterr().out.endswith(
        "  over, without a successor: over-0, over-1, over-2, over-4, over-5 and 1 "
        "more\n"
    )


def test_catalogue_check_names_every_problem(copied: Path) -> None:
    """Two slips in two files are two lines."""
    for name in ("tha-voso", "tha-eid"):
        path = copied / "agencies" / f"{name}.yaml"
        text = path.read_text(encoding="utf-8").replace('"38"', '"39"')
        path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        catalogue.check(directory=copied)
    assert len(caught.value.problems) == 2


def test_key_of_a_new_agency_is_all_that_is_printed(
    copied: Path, capsys: Output
) -> None:
    """The output is the key, for a pipe; what is said goes to the error stream."""
    agency.add(
        agency_id="tha-shop",
        catalogue=copied,
        name="Shop",
        sources=["/vn/38/shop"],
        indicators="ecommerce_sellers, ecommerce_transactions",
        locality="38",
    )
    shown = capsys.readouterr()
    key = shown.out.strip()
    assert key not in shown.err
    digest = hashlib.sha256(key.encode()).hexdigest()
    owner = load_catalogue(copied).agency_for_key(digest)
    assert owner is not None
    assert owner.id == "tha-shop"
    assert owner.indicators == {"ecommerce_sellers", "ecommerce_transactions"}


def test_rotation_keeps_both_keys_until_it_is_finished(
    copied: Path, capsys: Output
) -> None:
    """None, one, two, refused, then only the newest."""
    for count in (1, 2):
        agency_keys.rotate(agency_id="tha-voso", catalogue=copied)
        held = load_catalogue(copied).agencies["tha-voso"].keys
        assert len(held) == count
    newest = capsys.readouterr().out.split()[-1]
    with pytest.raises(FatalError, match="has two keys"):
        agency_keys.rotate(agency_id="tha-voso", catalogue=copied)
    agency_keys.rotate(agency_id="tha-voso", catalogue=copied, finish=True)
    (kept,) = load_catalogue(copied).agencies["tha-voso"].keys
    assert kept.sha256 == hashlib.sha256(newest.encode()).hexdigest()


@pytest.mark.parametrize("agency_id", ["../x", "A", "", "a/b", "a" * 65])
def test_agency_id_never_leaves_its_folder(copied: Path, agency_id: str) -> None:
    """It becomes a file's name, so it is checked first."""
    with pytest.raises(FatalError, match="small letters"):
        agency.add(
            agency_id=agency_id,
            catalogue=copied,
            name="x",
            sources=["/x"],
            indicators="*",
            locality="38",
        )


def test_agencies_are_listed_within_80_columns(copied: Path, capsys: Output) -> None:
    """Also as JSON, without any hash."""
    agency.list_agencies(catalogue=copied)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    agency.list_agencies(catalogue=copied, as_json=True)
    shown = capsys.readouterr().out
    assert len(json.loads(shown)["agencies"]) == 6
    assert "sha256" not in shown
