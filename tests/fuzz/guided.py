"""One harness under atheris; run by `make fuzz` in the fuzzers' own environment."""

import sys

import atheris

with atheris.instrument_imports(
    include=["services.ingest", "shared.http", "shared.events", "starlette"]
):
    from tests.fuzz.harnesses import HARNESSES


def main() -> None:
    """Fuzz; the first word is the harness, the others are libFuzzer's."""
    name, *words = sys.argv[1:]
    atheris.Setup([sys.argv[0], *words], HARNESSES[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
