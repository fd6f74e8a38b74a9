"""The fuzzers' corpus through their harnesses: beginnings, and what was found."""

import pytest

from tests.fuzz.harnesses import CORPUS, HARNESSES
from tests.fuzz.seeds import seeds

CASES = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.glob("*/*"))
CORPUS_BYTES_MAX = 200_000


@pytest.mark.parametrize("case", CASES)
def test_harness_finds_nothing_wrong(case: str) -> None:
    """What a fuzzer has once found stays mended."""
    HARNESSES[case.partition("/")[0]]((CORPUS / case).read_bytes())


def test_corpus_holds_every_seed_and_stays_small() -> None:
    """`python -m tests.fuzz.seeds` writes them; each harness has some."""
    assert {name for name, _ in seeds()} <= set(CASES)
    assert {case.partition("/")[0] for case in CASES} == set(HARNESSES)
    size = sum((CORPUS / case).stat().st_size for case in CASES)
    assert size < CORPUS_BYTES_MAX
