"""Named queries of .sql files."""

import sys
from pathlib import Path

import pytest

from shared.postgres.queries import load_queries


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an importable folder; return it."""
    folder = tmp_path / "queries_under_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, folder.name, raising=False)
    return folder


def load(package: Path, text: str) -> dict[str, str]:
    """Load queries from a text."""
    (package / "queries.sql").write_text(text, encoding="utf-8")
    return dict(load_queries(package.name))


def test_each_query_goes_up_to_the_next_name(package: Path) -> None:
    """Its description stays, as a comment that the server's log shows."""
    text = (
        "-- A file.\n\n-- name: one\n-- First.\nSELECT 1\n\n-- name: two_2\nSELECT 2\n"
    )
    assert load(package, text) == {"one": "-- First.\nSELECT 1", "two_2": "SELECT 2"}


def test_name_that_stands_twice_is_refused(package: Path) -> None:
    """One of the two would never be run."""
    with pytest.raises(ValueError, match="twice"):
        load(package, "-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n")


def test_text_before_the_first_name_is_refused(package: Path) -> None:
    """Nobody would run it."""
    with pytest.raises(ValueError, match="before the first name"):
        load(package, "SELECT 0\n-- name: one\nSELECT 1\n")


def test_queries_cannot_be_changed(package: Path) -> None:
    """They are shared by all tasks."""
    load(package, "-- name: one\nSELECT 1\n")
    with pytest.raises(TypeError):
        load_queries(package.name)["one"] = ""  # type: ignore[index] # the point


@pytest.mark.parametrize("service", ["aggregation", "alerting"])
def test_queries_of_a_service_are_loaded(service: str) -> None:
    """Each has a description and some SQL."""
    queries = load_queries(f"services.{service}.sql")
    assert queries
    for name, query in queries.items():
        assert query.startswith("-- "), name
        assert not query.splitlines()[-1].startswith("--"), name
