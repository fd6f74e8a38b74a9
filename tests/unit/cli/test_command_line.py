"""Which commands there are, and what each of them waits for."""

import subprocess
import sys

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from services.cli.__main__ import COMMANDS, command_line


def commands_of(asked: str) -> list[str]:
    """Name the commands that a command line knows."""
    made = get_command(command_line(asked))
    assert isinstance(made, TyperGroup)
    return list(made.commands)


@pytest.mark.parametrize("asked", ["", "--help", "nonsense"])
def test_who_asks_for_no_command_is_told_all(asked: str) -> None:
    """Groups come after commands, as everywhere in the help."""
    assert sorted(commands_of(asked)) == sorted(COMMANDS)


@pytest.mark.parametrize("asked", COMMANDS)
def test_command_that_is_asked_for_is_there_alone(asked: str) -> None:
    """Its name is found in the module that the list names."""
    assert commands_of(asked) == [asked]


def test_command_waits_for_no_other_one_s_libraries() -> None:
    """Whoever asks for totals needs neither Kafka's client nor spreadsheets."""
    program = "import sys; from services.cli.__main__ import command_line; "
    program += "command_line('totals'); print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    loaded = set(told.stdout.split())
    assert "services.cli.totals" in loaded
    assert not loaded & {"aiokafka", "faststream", "openpyxl", "aiohttp"}
