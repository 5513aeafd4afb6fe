"""CREATE, ALTER and LIST of stages (databend.md, sections 4, 6 and 10), and ``@stage/path`` itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead.errors import InvalidName, NotSupported
from fairlead.lang.ast import AlterStage, CreateStage, ListOf, ListStage, MapOf, Name, Option, Text
from fairlead.lang.literals import name_parts
from fairlead.lang.values import assigned_option, named_in_string, option_word, value

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor
    from fairlead.lang.lexer import Token

_CLAUSES: Final = ("URL", "CONNECTION", "FILE_FORMAT", "COMMENT", "COMMENTS")
_TEXT_REF: Final = re.compile(
    r"@(?P<name>~|(?:\"(?:[^\"]|\"\")+\"|`[^`]+`|[^/.\"`\s]+)(?:\.(?:\"(?:[^\"]|\"\")+\"|`[^`]+`|[^/.\"`\s]+))*+)"
    r"(?:/(?P<path>.*))?",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\([\s,`;'\"()\\])")
_MAX_PARTS: Final = 3


def create_stage(cursor: Cursor, *, or_replace: bool) -> CreateStage:
    """Read what follows CREATE [OR REPLACE] STAGE."""
    conflict = cursor.token
    if_not_exists = cursor.flag_if_not_exists()
    if if_not_exists and or_replace:
        cursor.fail(message="option IF NOT EXISTS and OR REPLACE are incompatible.", token=conflict)
    name = _stage_name(cursor)
    clauses = _Clauses()
    while cursor.token.kind != "eof":
        clauses.read(cursor)
    return CreateStage(
        name=name,
        url=clauses.url,
        connection=clauses.connection,
        inline=clauses.inline,
        file_format=clauses.file_format or (),
        comment=clauses.comment,
        or_replace=or_replace,
        if_not_exists=if_not_exists,
    )


def alter_stage(cursor: Cursor) -> AlterStage:
    """Read what follows ALTER STAGE."""
    if_exists = cursor.flag_if_exists()
    name = _stage_name(cursor)
    clauses = _Clauses()
    if cursor.expect_one("SET", "UNSET") == "UNSET":
        while not clauses.seen or cursor.token.kind != "eof":
            clauses.unset(cursor)
    else:
        if cursor.at("TAG"):
            cursor.unsupported("tags are not offered yet")
        while not clauses.seen or cursor.token.kind != "eof":
            clauses.read(cursor)
    return AlterStage(
        name=name,
        url=clauses.url,
        connection=clauses.connection,
        inline=clauses.inline,
        file_format=clauses.file_format,
        comment=clauses.comment,
        if_exists=if_exists,
    )


def _stage_name(cursor: Cursor) -> Name:
    if cursor.at_op("~"):
        cursor.unsupported("the personal stage ~ is not offered", "create a stage with a name")
    if cursor.dialect == "databend" and cursor.token.kind == "quoted":
        cursor.fail("an unquoted stage name")
    return cursor.name("the name of a stage")


class _Clauses:
    """The clauses of CREATE and ALTER STAGE, each at most once, in any order."""

    def __init__(self) -> None:
        self.url: str | None = None
        self.connection: Name | None = None
        self.inline: tuple[Option, ...] = ()
        self.file_format: tuple[Option, ...] | None = None
        self.comment: str | None = None
        self.seen: set[str] = set()

    def read(self, cursor: Cursor) -> None:
        """Read one clause."""
        at = cursor.token
        word = "URL" if at.kind == "string" else cursor.expect_one(*_CLAUSES)
        self._once(cursor, word.removesuffix("S"), at)
        if at.kind != "string" and (word != "URL" or cursor.at_op("=")):
            cursor.expect_op("=", "equals sign")
        match word:
            case "URL":
                self.url = cursor.string()
            case "CONNECTION":
                cursor.expect_op("(", "left parenthesis")
                self.connection, self.inline = connection_clause(cursor)
            case "FILE_FORMAT":
                self.file_format = _format_options(cursor)
            case _:
                self.comment = cursor.string()
        cursor.accept_op(",")

    def unset(self, cursor: Cursor) -> None:
        """Read one name after UNSET."""
        at = cursor.token
        word = cursor.expect_one("FILE_FORMAT", "COMMENT", "COMMENTS", "TAG")
        if word == "TAG":
            cursor.unsupported("tags are not offered yet")
        self._once(cursor, word.removesuffix("S"), at)
        if word == "FILE_FORMAT":
            self.file_format = ()
        else:
            self.comment = ""
        cursor.accept_op(",")

    def _once(self, cursor: Cursor, word: str, at: Token) -> None:
        if word in self.seen:
            cursor.fail(message=f"{word} is given twice", token=at)
        self.seen.add(word)


def connection_clause(cursor: Cursor) -> tuple[Name | None, tuple[Option, ...]]:
    """Read ``CONNECTION_NAME = 'n'`` and other keys up to the closing parenthesis."""
    connection: Name | None = None
    inline: list[Option] = []
    while not cursor.accept_op(")"):
        if cursor.at("CONNECTION_NAME"):
            if connection is not None:
                cursor.fail(message="CONNECTION_NAME is given twice")
            connection = _connection_name(cursor)
        else:
            inline.append(assigned_option(cursor))
        if not cursor.accept_op(",") and not cursor.at_op(")") and cursor.token.kind != "word":
            cursor.fail("comma", "right parenthesis")
    return connection, tuple(inline)


def _connection_name(cursor: Cursor) -> Name:
    cursor.next()
    cursor.expect_op("=", "equals sign")
    if cursor.native and cursor.token.kind in {"word", "quoted"}:
        return cursor.name()
    return named_in_string(cursor.string())


def _format_options(cursor: Cursor) -> tuple[Option, ...]:
    cursor.expect_op("(", "left parenthesis")
    options: list[Option] = []
    while not cursor.at_op(")"):
        start = cursor.token.start
        name = option_word(cursor)
        cursor.expect_op("=", "equals sign")
        options.append(Option(name, _format_value(cursor), position=start))
        cursor.accept_op(",")
    cursor.expect_op(")", "right parenthesis")
    return tuple(options)


def _format_value(cursor: Cursor) -> Text | ListOf:
    found = value(cursor)
    if isinstance(found, MapOf) or not isinstance(found, Text | ListOf):
        cursor.fail(message="a file format option takes a literal or a list", token=cursor.tokens[cursor.at_index - 1])
    return found


# --- @stage/path -----------------------------------------------------------------------------------------------------


def stage_reference(token: Token) -> tuple[Name, str]:
    """Return stage and path of ``@stage/path``, a token of its own or the text of a string literal.

    Raises:
        InvalidName: not of this form, or more than three parts.
        NotSupported: the personal stage ``@~``.
    """
    text = _ESCAPE.sub(r"\1", token.text) if token.kind == "stage" else token.text
    found = _TEXT_REF.fullmatch(text)
    if found is None:
        raise InvalidName("a stage path is written @stage/path", position=token.start + 1)
    if found["name"] == "~":
        raise NotSupported(
            "the personal stage @~ is not offered", hint="create a stage with a name", position=token.start + 1
        )
    parts = name_parts(found["name"])
    if len(parts) > _MAX_PARTS:
        raise InvalidName("qualified name did not have between 1 and 3 components", position=token.start + 1)
    return Name(parts), found["path"] or ""


def list_stage(cursor: Cursor) -> ListStage:
    """Read what follows LIST."""
    token = cursor.token
    if token.kind != "stage" and not (token.kind == "string" and token.text.startswith("@")):
        cursor.fail("a stage path such as @stage/path/")
    cursor.next()
    stage, path = stage_reference(token)
    pattern = None
    if cursor.accept("PATTERN"):
        if not cursor.accept_op("="):
            cursor.expect_op("=>", "equals sign")
        pattern = cursor.string()
    cursor.end()
    return ListStage(stage=stage, path=path, pattern=pattern)
