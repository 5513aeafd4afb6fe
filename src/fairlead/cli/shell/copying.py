r"""``\\copy``: between a table, or a query, of the gateway and a file of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fairlead.cli.shell.running import failing
from fairlead.errors import InvalidParameter
from fairlead.lang.lexer import DATA, LexError, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    Draw = Callable[[str, str, float | None], None]

_BLOCK: Final = 256 * 1024  # bytes of a file
_MIB: Final = 1024 * 1024
_DEPTH: Final = {"(": 1, ")": -1}
_EXAMPLE: Final = "\\copy table from 'file.csv' csv header"


class Order(NamedTuple):
    """What is to be copied where.

    Args:
        sql: the COPY statement for the gateway.
        path: of the file.
        inward: whether the file is read.
    """

    sql: str
    path: Path
    inward: bool


def understood(text: str) -> Order:
    """Read ``table|(query) from|to 'file' [options]``.

    Raises:
        InvalidParameter: it is not of that form.
    """
    depth = 0
    try:
        tokens, _ = tokenize(text, DATA)
    except LexError:
        tokens = []
    for at, token in enumerate(tokens):
        depth += _DEPTH.get(token.text, 0) if token.kind == "op" else 0
        if at and not depth and token.kind == "word" and token.upper in ("FROM", "TO"):
            inward = token.upper == "FROM"
            file, options = _file(text[token.end :])
            if file:
                what = text[: token.start].strip()
                sql = f"COPY {what} {'FROM STDIN' if inward else 'TO STDOUT'} {options}".strip()
                return Order(sql, Path(file).expanduser(), inward)
    message = "this cannot be copied"
    raise InvalidParameter(message, hint=f"for example {_EXAMPLE}")


def _file(text: str) -> tuple[str, str]:
    """Return the name of the file, with or without quotes, and what follows it."""
    bare = text.strip()
    if not bare.startswith("'"):
        name, _, rest = bare.partition(" ")
        return name, rest.strip()
    tokens, _ = tokenize(bare, DATA, limit=1)
    return tokens[0].text, bare[tokens[0].end :].strip()


def copy(connection: psycopg.Connection[Any], text: str, draw: Draw | None) -> str:
    """Copy, and return the command tag.

    Args:
        connection: to the gateway.
        text: what follows the command.
        draw: shows how far it is: what is done, how much, percent.

    Raises:
        InvalidParameter: it cannot be understood, or the file cannot be used.
        StatementFailed: the gateway refuses.
    """
    order = understood(text)
    try:
        return (_send if order.inward else _receive)(connection, order, draw)
    except OSError as error:
        message = f"{order.path} cannot be used: {error.strerror}"
        raise InvalidParameter(message) from None


def _send(connection: psycopg.Connection[Any], order: Order, draw: Draw | None) -> str:
    size, done = order.path.stat().st_size or 1, 0
    with order.path.open("rb") as file, failing(order.sql), connection.cursor() as cursor:
        with cursor.copy(order.sql.encode()) as copying:
            while block := file.read(_BLOCK):
                copying.write(block)
                done += len(block)
                if draw is not None:
                    draw("copying", f"{done / _MIB:.1f} MiB", 100 * done / size)
        return cursor.statusmessage or ""


def _receive(connection: psycopg.Connection[Any], order: Order, draw: Draw | None) -> str:
    """Write the file beside its place first, so that one that is there stays until all has come."""
    done = 0
    part = order.path.with_name(order.path.name + ".part")
    try:
        with part.open("wb") as file, failing(order.sql), connection.cursor() as cursor:
            with cursor.copy(order.sql.encode()) as copying:
                for block in copying:
                    file.write(block)
                    done += len(block)
                    if draw is not None:
                        draw("copying", f"{done / _MIB:.1f} MiB", None)
            tag = cursor.statusmessage or ""
        part.replace(order.path)
    finally:
        part.unlink(missing_ok=True)
    return tag
