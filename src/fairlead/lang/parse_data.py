"""Statements for the engine: checked against what is offered, then read for what the planner needs.

Nothing is parsed as a whole: one walk over the tokens collects places (stage paths, URLs), identifiers and parameters.
The text itself is passed on verbatim.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from fairlead.errors import InvalidParameter, NotSupported
from fairlead.lang.ast import DataStatement, LocationRef
from fairlead.lang.dotted import dotted_names
from fairlead.lang.heads import explained
from fairlead.lang.lexer import READERS
from fairlead.lang.locations import stage_options
from fairlead.lang.parse_stages import stage_reference

if TYPE_CHECKING:
    from fairlead.lang.ast import StageOption
    from fairlead.lang.cursor import Cursor
    from fairlead.lang.lexer import Token

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_FROM: Final = frozenset({"FROM", "JOIN", "USING", "DESCRIBE", "DESC", "SUMMARIZE", "INTO"})
_QUERIES: Final = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE"})
_OPEN: Final = frozenset("([{")
_CLOSE: Final = frozenset(")]}")
_MOST_PARAMETERS: Final = 65536
_TARGET_HINT: Final = "write COPY ... TO 's3://bucket/key' or COPY ... TO @stage/path"
_SOURCE_HINT: Final = (
    "write COPY table FROM 's3://bucket/key' or COPY table FROM @stage/path; FROM STDIN reads from the client"
)
_NO_PLACES: Final = {
    "STDIN": "COPY table FROM STDIN reads rows from the client",
    "STDOUT": "SELECT gives the rows to the client; COPY ... TO @stage/path writes a file",
    "PROGRAM": _TARGET_HINT,
}


def data_statement(cursor: Cursor) -> DataStatement:
    """Read a statement for the engine.

    Raises:
        NotSupported: a form of a known statement that is not offered.
        InvalidParameter: a COPY whose place is not written out.
        InvalidName: a stage path that is not one.
        SqlSyntaxError: options after a place that are not known.
    """
    start, end = cursor.piece.span
    while cursor.at_op("("):
        cursor.next()
    verb = cursor.word()
    if verb == "EXPLAIN":
        cursor.at_index = explained(cursor.tokens)
    target = _copy_target(cursor) if cursor.at("COPY") else -1
    if cursor.at("EXPLAIN"):
        cursor.fail("a statement")
    walk = _Walk(cursor, start, target)
    walk.run()
    return DataStatement(
        text=cursor.text[start:end],
        verb=verb,
        locations=tuple(walk.locations),
        identifiers=frozenset(walk.identifiers),
        calls=frozenset(walk.calls),
        parameters=walk.parameters,
        names=dotted_names(cursor.tokens, start),
        query_at=_query_at(cursor.tokens, start) if verb == "CREATE" else -1,
        span=(start, end),
    )


class _Walk:
    """One pass over the tokens, with the kind of each open bracket on a stack."""

    def __init__(self, cursor: Cursor, base: int, target: int) -> None:
        self.cursor = cursor
        self.base = base
        self.target = target
        self.locations: list[LocationRef] = []
        self.identifiers: set[str] = set()
        self.calls: set[str] = set()
        self.parameters = 0
        self._questions = 0
        self._readers: list[bool] = [False]

    def run(self) -> None:
        """Walk to the end of the statement."""
        cursor = self.cursor
        cursor.at_index = 0
        while cursor.token.kind != "eof":
            token = cursor.token
            match token.kind:
                case "word" | "quoted":
                    self._identifier(token)
                    self._refuse_connection()
                    cursor.next()
                case "stage":
                    self._place(token)
                case "string":
                    self._string(token)
                case _:
                    self._other(token)
                    cursor.next()

    def _identifier(self, token: Token) -> None:
        name = token.text.casefold()
        self.identifiers.add(name)
        if self.cursor.at_op("(", 1):
            self.calls.add(name)

    def _other(self, token: Token) -> None:
        if token.kind == "param":
            self.parameters = max(self.parameters, min(int(token.text[1:9]), _MOST_PARAMETERS))
        elif token.kind == "op":
            self._operator(token)

    def _operator(self, token: Token) -> None:
        if token.text in _OPEN:
            index = self.cursor.at_index
            before = self.cursor.tokens[index - 1] if index else token
            reads = before.kind in {"word", "quoted"} and READERS.fullmatch(before.text) is not None
            self._readers.append(reads or self._readers[-1])
        elif token.text in _CLOSE and len(self._readers) > 1:
            self._readers.pop()
        elif token.text == "?":
            self._questions += 1
            self.parameters = max(self.parameters, self._questions)

    def _refuse_connection(self) -> None:
        """Refuse a CONNECTION clause that is not a place's own: it could carry a credential to the engine."""
        cursor = self.cursor
        if cursor.at("CONNECTION") and cursor.ahead().text in {"=", "=>"} and cursor.at_op("(", 2):
            cursor.fail(
                message="a CONNECTION clause cannot stand here",
                hint="write it after the place: FROM 's3://bucket/key' (CONNECTION => (CONNECTION_NAME = 'c'))",
            )

    def _string(self, token: Token) -> None:
        """Read a string: a stage path where a place may stand, a URL anywhere, else just a text."""
        place = self._role()
        is_stage = token.text.startswith("@") and place != "literal"
        if is_stage or _URL.match(token.text):
            self._place(token)
        else:
            if place == "from":
                self.identifiers.add(token.text.casefold())
            self.cursor.next()

    def _role(self) -> str:
        cursor = self.cursor
        if cursor.at_index == self.target:
            return "to" if cursor.tokens[self.target - 1].upper == "TO" else "load"
        if self._readers[-1]:
            return "argument"
        before = cursor.tokens[cursor.at_index - 1] if cursor.at_index else None
        if before is not None and before.kind == "word" and before.upper in _FROM:
            return "from"
        in_list = before is not None and before.text == "," and self._after_place()
        return "from" if in_list else "literal"

    def _after_place(self) -> bool:
        """Whether the comma just passed follows another place of the same FROM list."""
        if not self.locations or self.locations[-1].role != "from":
            return False
        index, end = self.cursor.at_index, self.locations[-1].span[1] + self.base
        return any(token.end == end for token in self.cursor.tokens[max(0, index - 4) : index])

    def _place(self, token: Token) -> None:
        cursor = self.cursor
        role = self._role()
        if role == "literal" and token.kind == "stage":
            role = "from"  # the lexer makes stage tokens only where a table may stand
        cursor.next()
        is_stage = token.text.startswith("@")
        stage, path = stage_reference(token) if is_stage else (None, "")
        options: tuple[StageOption, ...] = ()
        if role in {"from", "to", "load"}:
            options = stage_options(cursor, copied=cursor.at_index - 1 == self.target)
        end = cursor.tokens[cursor.at_index - 1].end if options else token.end
        self.locations.append(
            LocationRef(
                span=(token.start - self.base, end - self.base),
                stage=stage,
                path=path,
                url=None if is_stage else token.text,
                role=role,  # type: ignore[arg-type]  # one of the five by construction
                options=options,
            )
        )


def _query_at(tokens: list[Token], base: int) -> int:
    """Return where the query of a CREATE TABLE ... AS begins, -1 where there is none."""
    depth = 0
    for token, after in pairwise(tokens):
        if token.kind == "op":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
        elif depth == 0 and token.kind == "word" and token.upper == "AS":
            begins = after.text == "(" or after.upper in _QUERIES
            return after.start - base if begins and any(one.upper == "TABLE" for one in tokens[:4]) else -1
    return -1


# --- COPY ------------------------------------------------------------------------------------------------------------


def _copy_target(cursor: Cursor) -> int:
    """Check the form of a COPY and return the index of its place.

    Raises:
        NotSupported: COPY FROM DATABASE, COPY INTO, STDIN, STDOUT, a program.
        InvalidParameter: a place that is not written out, so that it could not be checked.
    """
    tokens = cursor.tokens
    at = cursor.at_index + 1
    start = tokens[at].start + 1
    if tokens[at].upper in {"FROM", "INTO"} and tokens[at].kind == "word":
        raise NotSupported(
            "this form of COPY is not offered yet",
            hint="INSERT INTO table SELECT * FROM 'place' and COPY (query) TO 'place' are",
            position=start,
        )
    depth = 0
    while tokens[at].kind != "eof":
        token = tokens[at]
        if token.kind == "op":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
        elif depth == 0 and token.kind == "word" and token.upper in {"TO", "FROM"}:
            _check_target(tokens, at + 1)
            return at + 1
        at += 1
    cursor.at_index = at
    return cursor.fail("TO", "FROM")


def _check_target(tokens: list[Token], at: int) -> None:
    token, after = tokens[at], tokens[min(at + 1, len(tokens) - 1)]
    position = token.start + 1
    if token.kind == "word" and token.upper in _NO_PLACES:
        message = f"COPY with {token.upper} is not offered yet"
        raise NotSupported(message, hint=_NO_PLACES[token.upper], position=position)
    written = token.kind == "stage" or (
        token.kind == "string" and (token.text.startswith("@") or _URL.match(token.text) is not None)
    )
    ends = after.kind == "eof" or after.text in {"(", "WITH", ")"} or after.kind == "word"
    if not written or not ends:
        hint = _SOURCE_HINT if tokens[at - 1].upper == "FROM" else _TARGET_HINT
        raise InvalidParameter(
            "COPY needs a URL or a stage path, written out as a literal", hint=hint, position=position
        )
