"""`uptake reader`: who may read the board besides agencies, and their keys."""

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from services.cli.agency_file import make_key
from services.cli.render import Column, print_table, to_json
from shared.errors import CatalogueError, FatalError
from shared.readers import KEYS_MAX, Reader, load_readers, render_readers

_ID: Final = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_KEY_ID: Final = re.compile(r"key-(\d{1,6})", re.ASCII)

app = typer.Typer(
    no_args_is_help=True, help="Who may read the board besides agencies, their keys."
)

File = Annotated[
    Path,
    typer.Option(
        "--readers",
        envvar="UPTAKE_READERS",
        help="File of readers; made with the first one.",
        show_default=False,
    ),
]
ReaderId = Annotated[
    str, typer.Argument(metavar="ID", help="Small letters, digits and hyphens.")
]


@app.command("add")
def add(
    *,
    reader_id: ReaderId,
    readers: File,
    name: Annotated[str, typer.Option(help="For people.")],
) -> None:
    """Add a reader and show its key, once; only the key's SHA-256 is kept."""
    if not _ID.fullmatch(reader_id):
        raise FatalError(
            f"reader id {reader_id!r}: use 1 to 64 small letters, digits and hyphens"
        )
    known = load_readers(readers) if readers.exists() else ()
    if any(each.id == reader_id for each in known):
        raise FatalError(f"there is a reader {reader_id}; nothing was written")
    key = make_key("key-1")
    _write(readers, (*known, Reader(reader_id, name, (key.stored,))))
    _show_key(readers, key.text)


@app.command("rotate")
def rotate(
    *,
    reader_id: ReaderId,
    readers: File,
    finish: Annotated[
        bool, typer.Option("--finish", help="Take the older key away instead.")
    ] = False,
) -> None:
    """Give a reader a second key beside the first; --finish ends the first."""
    known = load_readers(readers)
    reader = _find(known, reader_id)
    if finish:
        if len(reader.keys) < KEYS_MAX:
            raise FatalError(f"{reader_id} has one key or none; nothing to finish")
        _write(readers, _with(known, replace(reader, keys=reader.keys[-1:])))
        print(f"{reader_id}: only key {reader.keys[-1].id} is valid now")
        return
    if len(reader.keys) >= KEYS_MAX:
        raise FatalError(
            f"{reader_id} has two keys; first: rotate {reader_id} --finish"
        )
    numbers = [int(m[1]) for k in reader.keys if (m := _KEY_ID.fullmatch(k.id))]
    key = make_key(f"key-{max(numbers, default=0) + 1}")
    _write(readers, _with(known, replace(reader, keys=(*reader.keys, key.stored))))
    _show_key(readers, key.text)


@app.command("remove")
def remove(*, reader_id: ReaderId, readers: File) -> None:
    """Take a reader and its keys away; the board follows within seconds."""
    known = load_readers(readers)
    reader = _find(known, reader_id)
    _write(readers, tuple(each for each in known if each is not reader))
    print(f"{reader_id} cannot read any more")


@app.command("list")
def list_readers(
    *,
    readers: File,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the readers."""
    known = load_readers(readers)
    if as_json:
        told = [
            {"id": each.id, "name": each.name, "keys": [key.id for key in each.keys]}
            for each in known
        ]
        print(to_json({"readers": told}), end="")
    elif not known:
        print("no readers; uptake reader add adds one")
    else:
        columns = (
            Column("reader", is_code=True),
            Column("name"),
            Column("keys", is_figure=True),
        )
        rows = [(each.id, each.name, str(len(each.keys))) for each in known]
        print_table(columns, rows)


def _find(known: Sequence[Reader], reader_id: str) -> Reader:
    for reader in known:
        if reader.id == reader_id:
            return reader
    raise FatalError(f"no reader {reader_id}; `uptake reader list` lists them")


def _with(known: Sequence[Reader], changed: Reader) -> tuple[Reader, ...]:
    return tuple(changed if each.id == changed.id else each for each in known)


def _write(path: Path, readers: Sequence[Reader]) -> None:
    """Put the file in place whole, and only if the board would take it.

    Raises:
        CatalogueError: It would not; nothing was written.
        FatalError: The file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(render_readers(readers))
                stream.flush()
                os.fsync(stream.fileno())
            load_readers(temporary)
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except CatalogueError as error:
        raise CatalogueError((*error.problems, "nothing was written")) from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise FatalError(f"{path} cannot be written: {reason}") from error


def _show_key(path: Path, key: str) -> None:
    print(f"wrote {path}", file=sys.stderr)
    print(key)
