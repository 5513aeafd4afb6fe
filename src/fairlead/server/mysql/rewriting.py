"""Statements in MySQL's quoting become statements in the gateway's; what is only MySQL's is refused by name.

Nothing is translated but quotes, comments, ``?`` and what asks for the session itself (``@@name``, ``DATABASE()``). In
a dialect that has backslash escapes of its own, the gateway's own statements go on as they were typed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead.errors import NotSupported
from fairlead.lang.heads import peek_head
from fairlead.lang.lexer import Kind as LangKind
from fairlead.lang.lexer import Token as LangToken
from fairlead.lang.lexer import rules_of
from fairlead.lang.tails import into_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fairlead.context import Dialect
    from fairlead.server.mysql.lexing import Token

FUNCTIONS: Final = frozenset(
    {
        *("DATABASE", "SCHEMA", "USER", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "VERSION", "CONNECTION_ID"),
        *("LAST_INSERT_ID",),
    }
)
_KINDS: Final[dict[str, LangKind]] = {
    "word": "word",
    "quoted": "quoted",
    "string": "string",
    "bytes": "string",
    "number": "number",
    "variable": "param",
    "stage": "stage",
    "param": "param",
    "op": "op",
}
_WORD_END: Final = re.compile(r"[\w$]\Z")
# The first words of statements that only MySQL has, with what to do instead.
_ONLY_MYSQL: Final = {
    ("REPLACE",): "write INSERT OR REPLACE, or MERGE INTO",
    ("INSERT", "IGNORE"): "write MERGE INTO",
    ("INSERT", "DELAYED"): None,
    ("INSERT", "LOW_PRIORITY"): None,
    ("LOAD", "DATA"): "put the file on a stage, and write INSERT INTO t SELECT * FROM @stage/file",
    ("LOAD", "XML"): None,
    ("LOCK", "TABLE"): "every transaction is isolated by snapshot",
    ("LOCK", "TABLES"): "every transaction is isolated by snapshot",
    ("UNLOCK", "TABLES"): "every transaction is isolated by snapshot",
    ("FLUSH",): None,
    ("OPTIMIZE",): "VACUUM takes care of tables",
    ("REPAIR",): None,
    ("CHECK", "TABLE"): None,
    ("HANDLER",): None,
    ("DO",): "write SELECT",
    ("DELIMITER",): "that is a command of the client",
    ("PREPARE",): "use the prepared statements of the client's protocol",
    ("XA",): None,
}
# Sequences of words anywhere in a statement.
_FORMS: Final = {
    ("ON", "DUPLICATE", "KEY"): "write MERGE INTO",
    ("STRAIGHT_JOIN",): "write JOIN",
    ("SQL_CALC_FOUND_ROWS",): "ask for count(*)",
    ("LOCK", "IN", "SHARE"): "every transaction is isolated by snapshot",
    ("INTO", "OUTFILE"): "write SELECT ... INTO LINK, or COPY (query) TO @stage/path",
    ("INTO", "DUMPFILE"): "write SELECT ... INTO LINK, or COPY (query) TO @stage/path",
}


def rewritten(
    text: str, tokens: Sequence[Token], dialect: Dialect, fact: Callable[[Token], str], *, parameters: bool = False
) -> tuple[str, int]:
    """Return a statement for the gateway, and its number of parameters.

    Args:
        text: the whole text of the client.
        tokens: of the statement.
        dialect: of the session.
        fact: gives the literal for a variable, or for one of ``FUNCTIONS``.
        parameters: whether ``?`` stands for a value.

    Raises:
        NotSupported: what only MySQL has.
    """
    refuse_only_mysql(tokens)
    statement, count = _written(tokens, fact, parameters=parameters)
    if rules_of(dialect).backslash == "no":
        return statement, count
    if peek_head(statement, 0) == "ours":
        return text[tokens[0].start : tokens[-1].end], 0
    into = into_at([LangToken(_KINDS[token.kind], token.text, 0, 0) for token in tokens])
    if into >= 0:  # what follows INTO is read by the dialect's rules
        statement, count = _written(tokens[:into], fact, parameters=parameters)
        return f"{statement} {text[tokens[into].start : tokens[-1].end]}", count
    return statement, count


def refuse_only_mysql(tokens: Sequence[Token]) -> None:
    """Refuse what only MySQL has.

    Raises:
        NotSupported: with what to write instead.
    """
    words = [token.value if token.kind == "word" else "" for token in tokens]
    for first, hint in _ONLY_MYSQL.items():
        if tuple(words[: len(first)]) == first:
            raise NotSupported(f"{' '.join(first)} is MySQL's, and not offered", hint=hint)
    for at, word in enumerate(words):
        for form, instead in _FORMS.items():
            if word == form[0] and tuple(words[at : at + len(form)]) == form:
                raise NotSupported(f"{' '.join(form)} is MySQL's, and not offered", hint=instead)
        if word == "LIMIT" and len(tokens) > at + 2 and tokens[at + 2].is_op(","):  # offset, comma
            raise NotSupported(
                "LIMIT offset, count is MySQL's, and not offered",
                hint="write LIMIT count OFFSET offset",
                position=tokens[at].start + 1,
            )
    if any(one.is_op(":") and other.is_op("=") and one.end == other.start for one, other in zip(tokens, tokens[1:])):  # noqa: B905, RUF007
        raise NotSupported("user variables, @x := ..., are not offered", hint="send the value as a parameter")


def is_call(tokens: Sequence[Token], at: int) -> int:
    """Return how many tokens a call of one of ``FUNCTIONS`` has, 0 where there is none."""
    token = tokens[at]
    if token.kind != "word" or token.value not in FUNCTIONS or (at and tokens[at - 1].is_op(".")):
        return 0
    following = tokens[at + 1 : at + 3]
    if len(following) == 2 and following[0].is_op("(") and following[1].is_op(")"):  # noqa: PLR2004  # both of them
        return 3
    return 0


def _written(tokens: Sequence[Token], fact: Callable[[Token], str], *, parameters: bool) -> tuple[str, int]:
    pieces: list[str] = []
    count = at = 0
    last = ""
    while at < len(tokens):
        token, piece, size = tokens[at], tokens[at].text, 1
        if token.kind == "variable":
            piece = fact(token)
        elif called := is_call(tokens, at):
            piece, size = fact(token), called
        elif token.kind == "param" and parameters:
            count += 1
            piece = f"${count}"
        apart = at and tokens[at - 1].end < token.start
        if apart or (last and _touching(last, piece)):
            pieces.append(" ")
        pieces.append(piece)
        last = piece
        at += size
    return "".join(pieces), count


def _touching(before: str, after: str) -> bool:
    """Tell whether two tokens that are two in MySQL would be read as one, or as a comment."""
    if before[-1] in "-/*" and after[0] in "-/*":
        return True
    return bool(_WORD_END.search(before)) and (after[0] in "'\"$" or after[0].isalnum() or after[0] == "_")
