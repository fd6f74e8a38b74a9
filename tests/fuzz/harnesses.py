"""Every harness by its name: a function of bytes that raises where something is wrong.

A harness needs no fuzzer: the ordinary tests hand it the corpus.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.fuzz.json_reading import cut_lines, read_json
from tests.fuzz.unpacking import unpack
from tests.fuzz.ways_in import compare_ways, read_request, read_submission
from tests.fuzz.whole_door import ask_door

CORPUS: Final = Path(__file__).parent / "corpus"
HARNESSES: Final[Mapping[str, Callable[[bytes], None]]] = {
    "json": read_json,
    "lines": cut_lines,
    "ways": compare_ways,
    "request": read_request,
    "submission": read_submission,
    "unpacking": unpack,
    "door": ask_door,
}
