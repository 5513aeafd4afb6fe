"""Pieces of canonical text: names, literals and option values, quoted as a dialect reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead.lang.ast import Concat, ListOf, MapOf, Name, NameRef, Option, SecretRef, SecretValue, Stored, Text, Value
from fairlead.lang.lexer import rules_of
from fairlead.lang.vocabulary import VOCABULARY
from fairlead.sensitive import MASK, Sensitive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.context import Dialect

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MASKED: Final = f"'{MASK}'"


class Writer:
    """Writes for one dialect.

    Args:
        dialect: whose quoting.
        reveal: print secret-typed literals instead of the mask.
    """

    __slots__ = ("_backslash", "_quote", "dialect", "reveal")

    def __init__(self, dialect: Dialect, *, reveal: bool) -> None:
        rules = rules_of(dialect)
        self.dialect = dialect
        self.reveal = reveal
        self._backslash = rules.backslash != "no"
        self._quote = "`" if rules.double_strings else '"'

    # --- names -----------------------------------------------------------------------------------------------------

    def identifier(self, text: str) -> str:
        """Return an identifier, quoted unless it is a plain word that is no keyword."""
        folds = self.dialect == "materialize" and text != text.lower()
        if _PLAIN.fullmatch(text) and not folds and text.upper() not in VOCABULARY:
            return text
        return self._quote + text.replace(self._quote, self._quote * 2) + self._quote

    def identifiers(self, texts: Iterable[str]) -> str:
        """Return identifiers with commas between."""
        return ", ".join(map(self.identifier, texts))

    def name(self, name: Name) -> str:
        """Return a name of up to three parts."""
        return ".".join(map(self.identifier, name.parts))

    def setting(self, text: str) -> str:
        """Return the name of a setting: dots separate its parts, as typed."""
        return ".".join(map(self.identifier, text.split(".")))

    def name_in_reference(self, name: Name) -> str:
        """Return a name for use inside a string."""
        return ".".join(part if _PLAIN.fullmatch(part) else '"' + part.replace('"', '""') + '"' for part in name.parts)

    def name_in_string(self, name: Name) -> str:
        """Return a string literal that holds a name."""
        return self.string(self.name_in_reference(name))

    # --- literals --------------------------------------------------------------------------------------------------

    def string(self, text: str) -> str:
        """Return a string literal."""
        if self._backslash:
            text = text.replace("\\", "\\\\")
        return "'" + text.replace("'", "''") + "'"

    def sensitive(self, value: Sensitive) -> str:
        """Return a string literal of a value that may be secret."""
        return self.string(value.reveal()) if self.reveal else _MASKED

    def secret(self, value: SecretValue) -> str:
        """Return the constant of CREATE SECRET: input of type bytea, in which a backslash begins an escape."""
        if not self.reveal:
            return _MASKED
        return self.string(value.value.reveal().replace("\\", "\\\\").replace("\0", "\\000"))

    def text(self, value: Text) -> str:
        """Return a literal of an option in the form in which it was written."""
        if not self.reveal and value.kind not in {"boolean", "null"}:
            return _MASKED
        raw = value.value.reveal()
        match value.kind:
            case "number" | "boolean" | "null":
                return raw.upper() if value.kind != "number" else raw
            case "word":
                return self.identifier(raw)
            case _:
                return self.string(raw)

    def value(self, value: Value, *, bracket: str = "()") -> str:  # noqa: PLR0911  # a table
        """Return the value of an option; lists stand in the brackets that the spelling uses."""
        match value:
            case Text():
                return self.text(value)
            case SecretRef(name):
                return f"SECRET {self.name(name)}"
            case NameRef(name):
                return self.name(name)
            case Stored():
                return "STORED"
            case Concat(parts):
                return " || ".join(map(self.value, parts))
            case ListOf(items):
                return bracket[0] + ", ".join(self.value(item, bracket=bracket) for item in items) + bracket[1]
            case MapOf(items):
                pairs = (f"{self.string(key)} => {self.value(item, bracket=bracket)}" for key, item in items)
                return f"MAP[{', '.join(pairs)}]"

    def option(self, option: Option, *, bracket: str = "()") -> str:
        """Return ``NAME = value``, or the name alone."""
        if option.value is None:
            return option.name
        return f"{option.name} = {self.value(option.value, bracket=bracket)}"

    def plain_option(self, option: Option) -> str:
        """Return ``NAME = value`` of a file format, where nothing is secret."""
        return Writer(self.dialect, reveal=True).option(option)
