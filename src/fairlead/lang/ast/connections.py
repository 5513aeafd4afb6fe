"""Statements about connections and links, in the four spellings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.values import Name, Noun, Option, Spelling


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateConnection(Statement):
    """CREATE CONNECTION or CREATE LINK in one of the four spellings.

    Args:
        spelling: whose spelling it is.
        type_word: the type as typed, upper case, single blanks (``AWS``, ``S3``, ``CONFLUENT SCHEMA REGISTRY``).
        category: STORAGE, API or CATALOG (ClickZetta), where written.
        credentials_stored: ``CREDENTIALS STORED`` was written.
        clauses: which of CREDENTIALS, CONFIG, PROPERTIES were written, for the rule "absent means empty".
        config_text: the text of CONFIG as first typed (SingleStore shows it so).
        validate: WITH (VALIDATE = ...), None where absent.
        comment: COMMENT, COMMENTS or DESCRIPTION.
    """

    name: Name
    spelling: Spelling
    type_word: str
    options: tuple[Option, ...] = ()
    or_replace: bool = False
    if_not_exists: bool = False
    category: str | None = None
    credentials_stored: bool = False
    clauses: tuple[str, ...] = ()
    config_text: str | None = field(default=None, repr=False)
    validate: bool | None = None
    comment: str | None = None
    noun: Noun = "CONNECTION"


@dataclass(frozen=True, slots=True)
class SetOptions:
    """``SET (OPT = v)``, ``SET PARAM = v ...``, ``SET CONFIG ::k = v``, ``SET (REGION = 'x', ...)``."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ReplaceClause:
    """``SET CONFIG 'json'`` or ``SET CREDENTIALS 'json'``: the whole clause is given anew."""

    clause: str
    options: tuple[Option, ...]
    text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UnsetOptions:
    """``DROP (OPT)``, ``RESET (OPT)``, ``UNSET PARAM, ...``."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RenameTo:
    """``RENAME TO name``."""

    name: str


@dataclass(frozen=True, slots=True)
class OwnerTo:
    """``OWNER TO role``."""

    role: str


@dataclass(frozen=True, slots=True)
class SetComment:
    """``SET COMMENT 'x'``, ``SET DESCRIPTION 'x'``."""

    text: str


@dataclass(frozen=True, slots=True)
class SetEnabled:
    """``ENABLE`` or ``DISABLE``."""

    enabled: bool


AlterAction = SetOptions | ReplaceClause | UnsetOptions | RenameTo | OwnerTo | SetComment | SetEnabled


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterConnection(Statement):
    """``ALTER CONNECTION | LINK``. ``spelling`` is None where the text fits the connection's own spelling."""

    name: Name
    actions: tuple[AlterAction, ...]
    if_exists: bool = False
    validate: bool | None = None
    noun: Noun = "CONNECTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateConnection(Statement):
    """``VALIDATE CONNECTION | LINK name``."""

    name: Name
    noun: Noun = "CONNECTION"
