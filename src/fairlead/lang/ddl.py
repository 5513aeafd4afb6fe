"""The heads of CREATE, ALTER and DROP of tables, views and schemas: what they name, and the words around the name.

The engine runs these statements. The gateway reads their first words to say what the engine does not: that IF EXISTS
has skipped something, that others depend on what is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from fairlead.lang.lexer import DATA, tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.lang.lexer import Token

_VERBS: Final = frozenset({"CREATE", "ALTER", "DROP"})
_KINDS: Final[dict[str, Literal["table", "view", "schema"]]] = {"TABLE": "table", "VIEW": "view", "SCHEMA": "schema"}
_TEMPORARY: Final = frozenset({"TEMP", "TEMPORARY"})
_MOST_TOKENS: Final = 40  # the longest head: three quoted parts and a new name


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """``ADD [COLUMN] [IF NOT EXISTS] c`` or ``DROP [COLUMN] [IF EXISTS] c``; ``name`` has one part for a column."""

    action: Literal["ADD", "DROP"]
    name: tuple[str, ...]
    conditional: bool


@dataclass(frozen=True, slots=True)
class Ddl:
    """The head of a statement about a table, view or schema.

    Args:
        verb: CREATE, ALTER or DROP.
        kind: of what is named.
        name: its parts, as typed.
        conditional: IF EXISTS or IF NOT EXISTS.
        or_replace: CREATE OR REPLACE.
        temporary: CREATE TEMP.
        cascade: span of CASCADE in the text, None where it is not said.
        rename_to: the new name of ALTER TABLE ... RENAME TO.
        column: what ALTER TABLE adds or drops.
    """

    verb: Literal["CREATE", "ALTER", "DROP"]
    kind: Literal["table", "view", "schema"]
    name: tuple[str, ...]
    conditional: bool = False
    or_replace: bool = False
    temporary: bool = False
    cascade: tuple[int, int] | None = None
    rename_to: str | None = None
    column: ColumnChange | None = None


def read_ddl(text: str) -> Ddl | None:
    """Return the head of a statement, None where it is of another kind or not one that the engine would take.

    Args:
        text: one statement for the engine; what follows the head is not read.
    """
    tokens, _ = tokenize(text, DATA, limit=_MOST_TOKENS)
    return _Head(tokens).read()


class _Head:
    """Reads from left to right; past the last token there is nothing."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def read(self) -> Ddl | None:
        verb = self._word()
        if verb not in _VERBS:
            return None
        self._at += 1
        or_replace = self._accept("OR", "REPLACE")
        temporary = self._word() in _TEMPORARY and self._accept(self._word())
        kind = _KINDS.get(self._word())
        if kind is None:
            return None
        self._at += 1
        conditional = self._accept("IF", "NOT", "EXISTS") if verb == "CREATE" else self._accept("IF", "EXISTS")
        name = self._name()
        if not name:
            return None
        if verb == "CREATE":
            return Ddl("CREATE", kind, name, conditional, or_replace, temporary)
        if verb == "DROP":
            return Ddl("DROP", kind, name, conditional, cascade=self._cascade())
        return Ddl("ALTER", kind, name, conditional, rename_to=self._rename(), column=self._column())

    def _cascade(self) -> tuple[int, int] | None:
        token = self._token()
        return (token.start, token.end) if token is not None and self._word() == "CASCADE" else None

    def _rename(self) -> str | None:
        if not self._accept("RENAME", "TO"):
            return None
        token = self._token()
        return token.text if token is not None and token.kind in {"word", "quoted"} else None

    def _column(self) -> ColumnChange | None:
        action: Literal["ADD", "DROP"] | None = (
            "ADD" if self._accept("ADD") else "DROP" if self._accept("DROP") else None
        )
        if action is None:
            return None
        self._accept("COLUMN")
        conditional = self._accept("IF", "NOT", "EXISTS") if action == "ADD" else self._accept("IF", "EXISTS")
        name = self._name()
        return ColumnChange(action, name, conditional) if name else None

    def _name(self) -> tuple[str, ...]:
        parts: list[str] = []
        while (token := self._token()) is not None and token.kind in {"word", "quoted"}:
            parts.append(token.text)
            self._at += 1
            dot = self._token()
            if dot is None or (dot.kind, dot.text) != ("op", "."):
                break
            self._at += 1
        return tuple(parts)

    def _token(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _word(self) -> str:
        token = self._token()
        return token.upper if token is not None and token.kind == "word" else ""

    def _accept(self, *words: str) -> bool:
        tokens = self._tokens[self._at : self._at + len(words)]
        if [token.upper for token in tokens if token.kind == "word"] != list(words):
            return False
        self._at += len(words)
        return True
