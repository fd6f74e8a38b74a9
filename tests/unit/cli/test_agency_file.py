"""An agency's file is written whole and valid, or not at all."""

import hashlib
import shutil
from pathlib import Path

import pytest

from services.cli.agency_file import (
    AgencyDraft,
    make_key,
    render_agency,
    replace_keys,
    write_agency,
)
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import AgencyKey
from shared.errors import CatalogueError, FatalError

SHIPPED = Path(__file__).parents[3] / "deploy" / "catalogue" / "vietnam"
DRAFT = AgencyDraft(
    id="tha-shop",
    name='Cửa hàng "số": 1\\ #',
    sources=("/vn/38/shop", "/vn/38/stall"),
    indicators=("ecommerce_transactions",),
    locality="38",
    cadence="24h",
    is_required=True,
    has_topic=True,
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Copy the catalogue that ships."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "catalogue"))


def files(catalogue: Path) -> set[str]:
    """List what lies under `agencies`, hidden files too."""
    return {path.name for path in (catalogue / "agencies").iterdir()}


def test_written_agency_is_what_was_asked_for(catalogue: Path) -> None:
    """The loader reads back every part, and the key opens it."""
    key = make_key("key-1")
    text = render_agency(DRAFT, (key.stored,))
    write_agency(catalogue, "tha-shop.yaml", text, is_new=True)
    loaded = load_catalogue(catalogue)
    digest = hashlib.sha256(key.text.encode()).hexdigest()
    agency = loaded.agency_for_key(digest)
    assert agency is not None
    assert agency.name == DRAFT.name
    assert agency.sources == DRAFT.sources
    assert (agency.cadence_hours, agency.required, agency.kafka) == (24, True, True)
    assert key.text not in text
    assert key.text.startswith("uptk_")
    assert len(key.text) >= 40


def test_invalid_agency_leaves_nothing_behind(catalogue: Path) -> None:
    """Every problem is told, and the catalogue is as it was."""
    before = files(catalogue)
    text = render_agency(DRAFT, ()).replace("transactions", "transaction")
    with pytest.raises(CatalogueError) as caught:
        write_agency(catalogue, "tha-shop.yaml", text, is_new=True)
    assert "did you mean" in caught.value.problems[0]
    assert files(catalogue) == before


def test_existing_agency_is_never_replaced_by_a_new_one(catalogue: Path) -> None:
    """Not even by one that is valid."""
    path = catalogue / "agencies" / "tha-voso.yaml"
    text = path.read_text(encoding="utf-8")
    with pytest.raises(FatalError, match="already there"):
        write_agency(catalogue, path.name, text + "\n# other\n", is_new=True)
    assert path.read_text(encoding="utf-8") == text
    assert files(catalogue) == {path.name for path in (SHIPPED / "agencies").iterdir()}


@pytest.mark.parametrize("keys", ["keys: []", "keys:   [] # none yet", None])
def test_replaced_keys_leave_all_else_as_it_was(keys: str | None) -> None:
    """Comments, order and what follows stay; block and flow style alike."""
    first, second = AgencyKey("key-1", "a" * 64), AgencyKey("key-2", "b" * 64)
    block = keys or f"keys:\n  - id: key-0\n    sha256: {'c' * 64}\n\n# why daily"
    text = f"# about\nid: x\n{block}\ncadence: 24h # daily\n"
    once = replace_keys(text, (first, second))
    assert once.startswith("# about\nid: x\nkeys:\n")
    assert once.endswith("cadence: 24h # daily\n")
    assert ("# why daily" in once) is (keys is None)
    assert "key-0" not in once
    again = replace_keys(once, (second,))
    assert "key-1" not in again
    assert "key-2" in again
    assert again.endswith("cadence: 24h # daily\n")
