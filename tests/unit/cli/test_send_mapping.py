"""How files are read can be written down once; the command line wins over it."""

from pathlib import Path

import pytest

from services.cli.send_files import FileProblemError
from services.cli.send_mapping import Reading, Wishes, settle_reading
from services.cli.send_rows import DateOrder

WHOLE = """\
as: /vn/38/voso
type: uptake.ecommerce.completed
indicator: ecommerce_transactions
columns:
  Nơi bán: locality
  Ngày bán: time
id: Số HĐ
timezone: Europe/Paris
dates: dmy
thousands: "."
header: 3
sheets: [Data]
"""


def read(folder: Path, text: str, wishes: Wishes | None = None) -> Reading:
    """Write a mapping file and settle with it."""
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return settle_reading(wishes or Wishes(), path)


def test_everything_can_be_written_down(tmp_path: Path) -> None:
    """Whatever the command line can say of reading."""
    reading = read(tmp_path, WHOLE)
    assert reading.chosen == {"Nơi bán": "locality", "Ngày bán": "time", "Số HĐ": "id"}
    assert reading.sheets == ("Data",)
    assert reading.header_row == 3
    defaults = reading.defaults
    assert defaults.source == "/vn/38/voso"
    assert defaults.type == "uptake.ecommerce.completed"
    assert defaults.indicator == "ecommerce_transactions"
    assert defaults.timezone.key == "Europe/Paris"
    assert defaults.dates is DateOrder.DMY
    assert defaults.thousands == "."


def test_command_line_wins(tmp_path: Path) -> None:
    """Also where it names another column for what the file names."""
    wishes = Wishes(source="/a", columns=["Giờ=time"], id_column="Nr", dates="mdy")
    reading = read(tmp_path, WHOLE, wishes)
    assert reading.chosen == {"Nơi bán": "locality", "Giờ": "time", "Nr": "id"}
    assert reading.defaults.source == "/a"
    assert reading.defaults.dates is DateOrder.MDY


def test_nothing_said_is_what_ships(tmp_path: Path) -> None:
    """Vietnam's time zone, and nothing guessed."""
    for reading in (settle_reading(Wishes(), None), read(tmp_path, "")):
        assert reading.defaults.timezone.key == "Asia/Ho_Chi_Minh"
        assert reading.defaults.dates is None
        assert reading.defaults.thousands is None
        assert reading.chosen == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colums: {}", "colums: extra inputs.*known are as, type"),
        ("- a", "valid dictionary|should be"),
        ("columns: {a: when}", "no attribute 'when'; known are locality"),
        ("header: 0", "header: .*greater"),
        ("header: '3'", "header: .*integer"),
        ("as: [", "not YAML"),
        ("dates: ymd", "--dates 'ymd'"),
        ("thousands: x", "--thousands 'x'"),
        ("timezone: Hanoi", "no such time zone"),
    ],
)
def test_wrong_mapping_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    """It names the file and what is known."""
    with pytest.raises(FileProblemError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_mapping_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """It is missing, or not UTF-8."""
    with pytest.raises(FileProblemError, match="no such file"):
        settle_reading(Wishes(), tmp_path / "none.yaml")
    path = tmp_path / "mapping.yaml"
    path.write_bytes(b"as: \xff")
    with pytest.raises(FileProblemError, match="not UTF-8 at byte 4"):
        settle_reading(Wishes(), path)
