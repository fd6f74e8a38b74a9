"""Fixtures for the tests of the catalogue."""

from pathlib import Path

import pytest

from tests.unit.shared.catalogue_files import FILES, Edit, problems_of


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Write a small catalogue in which everything is right."""
    for file, text in FILES.items():
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def problems_after(directory: Path) -> Edit:
    """Replace the first occurrence of a text in a file and load."""

    def edit(file: str, old: str, new: str) -> tuple[str, ...]:
        assert old in FILES[file], "the test replaces nothing"
        (directory / file).write_text(
            FILES[file].replace(old, new, 1), encoding="utf-8"
        )
        return problems_of(directory)

    return edit
