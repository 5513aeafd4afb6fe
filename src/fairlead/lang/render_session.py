"""Canonical text of statements about a session: transactions, set_config, prepared statements, cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.lang.masking import redact
from fairlead.lang.writer import Writer

if TYPE_CHECKING:
    from fairlead.lang import ast
    from fairlead.lang.ast import Argument

_SAVEPOINTS = {"set": "SAVEPOINT", "release": "RELEASE SAVEPOINT", "rollback": "ROLLBACK TO SAVEPOINT"}
_MODES = {True: " READ ONLY", False: " READ WRITE", None: ""}
# These are read under the engine's rules of quoting in every dialect; this one's are the same, and keep the case.
_PLAIN = Writer("materialize", reveal=True)


def transaction(s: ast.Transaction, _: Writer) -> str:
    """Return the text of BEGIN, COMMIT or ROLLBACK."""
    return s.action.upper() + _MODES[s.read_only] + (" AND CHAIN" if s.chain else "")


def savepoint(s: ast.Savepoint, w: Writer) -> str:
    """Return the text of a statement about a savepoint."""
    return f"{_SAVEPOINTS[s.action]} {w.identifier(s.name)}"


def set_transaction(s: ast.SetTransaction, _: Writer) -> str:
    """Return the text of SET TRANSACTION; where no mode was said, a level of isolation was."""
    modes = _MODES[s.read_only] or " ISOLATION LEVEL REPEATABLE READ"
    return f"SET {'SESSION CHARACTERISTICS AS ' if s.session else ''}TRANSACTION{modes}"


def set_config(s: ast.SetConfig, w: Writer) -> str:
    """Return the text of a query of set_config."""
    calls = []
    for call in s.calls:
        value = f"${call.value}" if isinstance(call.value, int) else _literal(call.value)
        label = "" if call.label == "set_config" else f" AS {_PLAIN.identifier(call.label)}"
        calls.append(f"set_config({_literal(call.name)}, {value}, {str(call.local).lower()}){label}")
    return _masked(f"SELECT {', '.join(calls)}", w)


def prepare(s: ast.Prepare, w: Writer) -> str:
    """Return the text of PREPARE."""
    types = f" ({', '.join(s.types)})" if s.types else ""
    return f"PREPARE {_PLAIN.identifier(s.name)}{types} AS {_masked(s.statement.text, w)}"


def execute(s: ast.Execute, w: Writer) -> str:
    """Return the text of EXECUTE."""
    arguments = f" ({', '.join(map(_argument, s.arguments))})" if s.arguments else ""
    return _masked(f"EXECUTE {_PLAIN.identifier(s.name)}{arguments}", w)


def declare(s: ast.DeclareCursor, w: Writer) -> str:
    """Return the text of DECLARE."""
    binary, hold = " BINARY" if s.binary else "", " WITH HOLD" if s.hold else ""
    return f"DECLARE {_PLAIN.identifier(s.name)}{binary} CURSOR{hold} FOR {_masked(s.query.text, w)}"


def fetch(s: ast.Fetch, w: Writer) -> str:
    """Return the text of FETCH or MOVE."""
    count = "ALL" if s.count is None else s.count
    return f"{'MOVE' if s.move else 'FETCH'} FORWARD {count} FROM {w.identifier(s.name)}"


def close(s: ast.CloseCursor, w: Writer) -> str:
    """Return the text of CLOSE."""
    return f"CLOSE {'ALL' if s.name is None else w.identifier(s.name)}"


def _argument(argument: Argument) -> str:
    return _literal(argument.value) if argument.kind == "text" else argument.value or "NULL"


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _masked(text: str, w: Writer) -> str:
    return text if w.reveal else redact(text, w.dialect)
