"""The contract as documents: what can be sent and read, over HTTP and over Kafka.

`python -m shared.events.documents DIR` writes them, with `--check` compares them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.events.asyncapi_document import build_asyncapi
from shared.events.openapi_document import build_openapi


def render_documents() -> dict[str, bytes]:
    """Return the bytes of each document, by file name; the same at every call."""
    return {
        "openapi.json": _render(build_openapi()),
        "asyncapi.json": _render(build_asyncapi()),
    }


def find_drift(folder: Path) -> tuple[Path, ...]:
    """Return the files that are missing or are not what is made now."""
    return tuple(
        path
        for name, content in render_documents().items()
        if not (path := folder / name).is_file() or path.read_bytes() != content
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the documents, or with `--check` compare them; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m shared.events.documents")
    parser.add_argument("folder", metavar="DIR", type=Path, help="where they lie")
    parser.add_argument(
        "--check", action="store_true", help="compare with the files, write nothing"
    )
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    if not options.check:
        for name, content in render_documents().items():
            (folder / name).write_bytes(content)
        return 0
    drift = find_drift(folder)
    for path in drift:
        sys.stderr.write(f"{path} is not what the code says; run `make documents`\n")
    return 1 if drift else 0


def _render(document: dict[str, object]) -> bytes:
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
    return f"{text}\n".encode()


if __name__ == "__main__":
    sys.exit(main())
