"""VACUUM: the care of tables on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.lang.ast import Vacuum

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

_OPTIONS: Final = frozenset({"FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"})


def vacuum(cursor: Cursor) -> Vacuum:
    """Read what follows VACUUM."""
    if cursor.word() in _OPTIONS or cursor.at_op("("):
        cursor.unsupported("VACUUM has no options here", "VACUUM does all there is to do; VACUUM name, in one database")
    database = None if cursor.token.kind == "eof" else cursor.identifier("the name of a database")
    if cursor.at_op("."):
        cursor.unsupported("VACUUM is for a whole database", "write VACUUM database")
    cursor.end()
    return Vacuum(database=database)
