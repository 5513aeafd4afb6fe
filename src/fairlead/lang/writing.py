"""Which statements write: what a read-only transaction refuses, and what a transaction may have to undo."""

from __future__ import annotations

from typing import Final

from fairlead.lang import ast
from fairlead.lang.lexer import DATA, tokenize

_READS: Final = frozenset(
    (
        *("SELECT", "FROM", "VALUES", "TABLE", "DESCRIBE", "DESC", "SUMMARIZE", "SHOW", "PIVOT", "UNPIVOT"),
        *("COPY", "EXPLAIN", "WITH"),
    )
)
_WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CREATE", "ALTER", "DROP", "COMMENT"})


def writing(statement: ast.Statement) -> str | None:  # noqa: PLR0911  # a table of statements
    """Return what a statement does to tables, in PostgreSQL's words; None where it only reads.

    Statements that are commands of the gateway's do nothing to tables, but for VACUUM.
    """
    match statement:
        case ast.Vacuum():
            return "VACUUM"
        case ast.CopyFromStdin():
            return "COPY FROM"
        case ast.CopyToStdout(query=query):
            return writing(query)
        case ast.DataStatement(verb="WITH"):
            return _main_verb(statement)
        case ast.DataStatement(verb="EXPLAIN"):
            return _main_verb(statement) if "analyze" in statement.identifiers else None
        case ast.DataStatement(verb="COPY"):
            return "COPY FROM" if any(location.role == "load" for location in statement.locations) else None
        case ast.DataStatement(verb=verb):
            return None if verb in _READS else verb
    return None


def _main_verb(statement: ast.DataStatement) -> str | None:
    """Return the verb of what stands behind WITH or EXPLAIN, if it writes: it is outside of all parentheses."""
    depth = 0
    for token in tokenize(statement.text, DATA)[0]:
        if token.kind == "op":
            depth += (token.text in "([{") - (token.text in ")]}")
        elif depth == 0 and token.kind == "word":
            if token.upper in _WRITES:
                return token.upper
            if token.upper in ("SELECT", "FROM", "VALUES"):
                return None
    return None
