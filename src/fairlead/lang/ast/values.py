"""What all statements are built from: names, the values of options, and the base of every statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fairlead.sensitive import Sensitive

Spelling = Literal["materialize", "singlestore", "databend", "clickzetta"]
Noun = Literal["CONNECTION", "LINK"]


@dataclass(frozen=True, slots=True)
class Name:
    """An object name of one to three parts, as typed, quotes removed."""

    parts: tuple[str, ...]

    @property
    def last(self) -> str:
        """The object's own name."""
        return self.parts[-1]

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Text:
    """A literal. ``kind`` says how it was written: ``word`` is a bare word, ``json`` a nested JSON value as text."""

    value: Sensitive
    kind: Literal["string", "number", "boolean", "word", "json", "null"] = "string"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """``SECRET name`` (or ``{"secret": "name"}`` in JSON): the value of a named secret, read at use."""

    name: Name


@dataclass(frozen=True, slots=True)
class Concat:
    """``'text' || SECRET s || ...``."""

    parts: tuple[Text | SecretRef, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """``('a', 'b')`` or ``['a', 'b']``."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """``MAP['k' => 'v']`` or ``('k' = 'v')``."""

    items: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """The keyword ``STORED``: keep the secret that is stored."""


@dataclass(frozen=True, slots=True)
class NameRef:
    """The name of another object: ``AWS CONNECTION = db.schema.c``, ``STORAGE_CONNECTION = c``."""

    name: Name


Value = Text | SecretRef | Concat | ListOf | MapOf | Stored | NameRef


@dataclass(frozen=True, slots=True)
class Option:
    """One option as typed.

    Args:
        name: upper case with single blanks (Materialize, ClickZetta, Databend), or the exact JSON key (SingleStore).
        value: None for an option without a value.
        clause: CREDENTIALS, CONFIG or PROPERTIES where the option stood in one.
        position: 0-based offset of the name in the script.
    """

    name: str
    value: Value | None
    clause: str | None = None
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Base of all statements."""

    span: tuple[int, int] = field(default=(0, 0), compare=False)
