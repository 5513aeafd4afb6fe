"""SELECT ... INTO LINK (singlestore.md 7.2) and COPY ... TO with a connection (materialize.md 12.4)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from fairlead.errors import InvalidParameter, NotSupported
from fairlead.lang.ast import CopyToStore, Csv, SelectInto
from fairlead.lang.cursor import Cursor
from fairlead.lang.lexer import Token, rules_of
from fairlead.lang.parse_data import data_statement
from fairlead.lang.splitter import Piece
from fairlead.lang.tails import OPTIONS, TARGETS

if TYPE_CHECKING:
    from fairlead.lang.ast import DataStatement, Name

_QUERIES: Final = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE"})
_END_HINT: Final = "write INTO LINK name 'path' after ORDER BY and LIMIT of the whole statement"
_LINK_HINT: Final = "CREATE LINK keeps the credential; then write INTO LINK name 'bucket/path'"
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SIZE: Final = re.compile(r"\s*([0-9]{1,15})\s*(B|kB|MB|GB|TB|)\s*", re.IGNORECASE)
_UNITS: Final = {"": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_MEBI: Final = 1024**2
_LEAST: Final = 16 * _MEBI
_MOST: Final = 4096 * _MEBI
_DEFAULT_SIZE: Final = 256 * _MEBI


# --- SELECT ... INTO -------------------------------------------------------------------------------------------------


def select_into(cursor: Cursor, at: int) -> SelectInto:
    """Read a query that ends in INTO.

    Args:
        cursor: at the beginning of the statement.
        at: index of the token INTO.

    Raises:
        NotSupported: a target that is not offered.
        SqlSyntaxError: anything that is not the statement.
    """
    into = cursor.tokens[at]
    depth = _depth(cursor, at)
    while cursor.at_op("("):
        cursor.next()
    if depth != 0 or cursor.word() not in _QUERIES:
        _misplaced(cursor, into)
    cursor.at_index = at + 1
    options = _Options()
    while cursor.word() in OPTIONS:
        options.read(cursor)
    target = cursor.expect_one(*TARGETS)
    if target != "LINK":
        _not_offered(target, into)
    if cursor.token.kind == "string":
        cursor.fail("the name of a link", hint="write INTO LINK name 'bucket/path': SHOW LINKS lists those you may use")
    link = cursor.name("the name of a link")
    path = cursor.string("the path in a string literal")
    while cursor.token.kind != "eof":
        if cursor.word() not in OPTIONS:
            if cursor.word() in {"UNION", "EXCEPT", "INTERSECT", "ORDER", "LIMIT", "FROM", "WHERE", "GROUP", "AS"}:
                _misplaced(cursor, into)
            cursor.fail(*OPTIONS)
        options.read(cursor)
    return SelectInto(
        query=_query(cursor, cursor.tokens[:at]),
        link=link,
        path=path,
        format=options.format or "csv",
        csv=options.csv(),
        header=options.header,
        compression=options.compression,
        overwrite=options.overwrite,
        span=cursor.piece.span,
    )


def _query(cursor: Cursor, tokens: list[Token]) -> DataStatement:
    """Return some of a statement's tokens as a statement of their own."""
    end = tokens[-1].end if tokens else 0
    return data_statement(Cursor(cursor.text, Piece("data", [*tokens, Token("eof", "", end, end)]), cursor.dialect))


def _depth(cursor: Cursor, at: int) -> int:
    """Return how many parentheses are open at a token; a query that closes more than it opened counts as one."""
    depth = 0
    for token in cursor.tokens[:at]:
        if token.kind == "op":
            depth += (token.text in "([{") - (token.text in ")]}")
        if depth < 0:
            return -1
    return depth


def _misplaced(cursor: Cursor, into: Token) -> NoReturn:
    cursor.fail(message="INTO stands at the end of a whole query only", hint=_END_HINT, token=into)


def _not_offered(target: str, into: Token) -> NoReturn:
    position = into.start + 1
    if target in {"OUTFILE", "FS"}:
        message = f"SELECT ... INTO {target} is not offered: files of the server cannot be written"
        raise NotSupported(message, hint=_LINK_HINT, position=position)
    message = f"SELECT ... INTO {target} with its own credentials is not offered"
    raise NotSupported(message, hint=_LINK_HINT, position=position)


class _Options:
    """The options on either side of LINK, each at most once, in any order."""

    def __init__(self) -> None:
        self.format: Literal["csv", "parquet", "json"] | None = None
        self.header = False
        self.compression = False
        self.overwrite = False
        self._seen: set[str] = set()
        self._first_csv: Token | None = None
        self._values: dict[str, str] = {}
        self._optionally = False

    def read(self, cursor: Cursor) -> None:
        """Read one."""
        at = cursor.token
        word = cursor.expect_one(*OPTIONS)
        self._once(cursor, "FIELDS" if word == "COLUMNS" else word, at)
        match word:
            case "FORMAT":
                self._read_format(cursor)
            case "HEADER":
                _native_only(cursor, "HEADER", at)
                self.header = True
            case "WITH":
                cursor.expect("COMPRESSION")
                self.compression = True
            case "ENABLE_OVERWRITE":
                self.overwrite = True
            case "LINES":
                self._read_texts(cursor, at, {"STARTING": "starting", "TERMINATED": "ending"})
            case _:
                self._read_texts(cursor, at, {"TERMINATED": "terminated", "ENCLOSED": "enclosed", "ESCAPED": "escaped"})
        self._check(cursor)

    def csv(self) -> Csv:
        """Return the lines as they were asked for."""
        return Csv(**self._values, optionally=self._optionally)

    def _read_format(self, cursor: Cursor) -> None:
        at = cursor.token
        match cursor.expect_one("PARQUET", "CSV", "JSON"):
            case "PARQUET":
                self.format = "parquet"
            case "CSV":
                _native_only(cursor, "FORMAT CSV", at)
                self.format = "csv"
            case _:
                _native_only(cursor, "FORMAT JSON", at)
                self.format = "json"

    def _read_texts(self, cursor: Cursor, at: Token, clauses: dict[str, str]) -> None:
        self._first_csv = self._first_csv or at
        count = 0
        while cursor.word() in clauses or (cursor.at("OPTIONALLY") and "ENCLOSED" in clauses):
            optionally = cursor.accept("OPTIONALLY")
            clause = cursor.token
            name = clauses[cursor.expect_one("ENCLOSED") if optionally else cursor.expect_one(*clauses)]
            cursor.expect("BY")
            self._once(cursor, f"{at.upper} {clause.upper} BY", clause)
            value = _text(cursor)
            if name in {"enclosed", "escaped"} and len(value) > 1:
                cursor.fail(
                    message=f"{clause.upper} BY takes one character, or none",
                    token=cursor.tokens[cursor.at_index - 1],
                )
            self._values[name] = value
            self._optionally = self._optionally or optionally
            count += 1
        if not count:
            cursor.fail(*(f"{word} BY" for word in clauses))

    def _check(self, cursor: Cursor) -> None:
        other = self.format in {"parquet", "json"}
        if other and self._first_csv is not None:
            cursor.fail(message="FIELDS and LINES describe CSV, not another FORMAT", token=self._first_csv)
        if other and self.header:
            cursor.fail(message="HEADER is the first line of CSV; other formats name their columns themselves")
        if self.format == "parquet" and self.compression:
            cursor.fail(message="WITH COMPRESSION is for CSV and JSON: Parquet files are compressed inside")

    def _once(self, cursor: Cursor, what: str, at: Token) -> None:
        if what in self._seen:
            cursor.fail(message=f"{what} is given twice", token=at)
        self._seen.add(what)


def _native_only(cursor: Cursor, what: str, at: Token) -> None:
    if not cursor.native:
        hint = "the native dialect has it: SET dialect = 'native'"
        cursor.fail(message=f"{what} is not part of the {cursor.dialect} dialect", hint=hint, token=at)


def _text(cursor: Cursor) -> str:
    r"""Read a string of FIELDS or LINES: ``'\n'`` is the end of a line also where a backslash is an ordinary character.

    Nobody means a backslash and an n, and every example of MySQL is written so.
    """
    token = cursor.token
    value = cursor.string()
    plain = rules_of(cursor.dialect).backslash == "no" and cursor.text[token.start] not in "eE"
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), value) if plain else value


# --- COPY ... TO -----------------------------------------------------------------------------------------------------


def copies_to_store(cursor: Cursor) -> bool:
    """Whether the COPY at hand writes to a URL through a connection; in Materialize's own dialect, to any s3:// URL."""
    at = _to(cursor)
    if not cursor.at("COPY") or at < 0 or cursor.tokens[at + 1].kind != "string":
        return False
    if not cursor.tokens[at + 1].text.lower().startswith("s3://"):
        return False
    rest = cursor.tokens[at + 2 :]
    words = [token.upper if token.kind == "word" else "" for token in rest]
    named = any(pair == ("AWS", "CONNECTION") for pair in pairwise(words))
    return named or cursor.dialect == "materialize"


def _to(cursor: Cursor) -> int:
    depth = 0
    for at, token in enumerate(cursor.tokens[:-2]):
        if token.kind == "op":
            depth += (token.text in "([{") - (token.text in ")]}")
        elif depth == 0 and token.kind == "word" and token.upper in {"TO", "FROM"} and at:
            return at if token.upper == "TO" else -1
    return -1


def copy_to_store(cursor: Cursor) -> CopyToStore:
    """Read the statement.

    Raises:
        InvalidParameter, NotSupported: what Materialize refuses, in its words.
        SqlSyntaxError: anything else that is not the statement.
    """
    at = _to(cursor)
    query = _copied(cursor, at)
    cursor.at_index = at + 1
    url = cursor.string()
    given = _Given()
    cursor.accept("WITH")
    if cursor.accept_op("("):
        cursor.comma_list(lambda: given.read(cursor))
        cursor.expect_op(")", "right parenthesis")
    cursor.end()
    return given.statement(query, url, cursor)


def _copied(cursor: Cursor, at: int) -> DataStatement:
    """Return the query in parentheses, or one that reads the table."""
    inside = cursor.tokens[1:at]
    if inside and inside[0].text == "(" and inside[-1].text == ")":
        inner = inside[1:-1]
        if not inner or _depth(Cursor(cursor.text, Piece("data", inner), cursor.dialect), len(inner)) != 0:
            cursor.fail("a query", token=inside[0])
        if _is_ordered(inner):
            raise NotSupported("ORDER BY is not supported in SELECT query for COPY statements")
        return _query(cursor, inner)
    if any(token.text == "(" for token in inside):
        message = "specifying columns for COPY <table_name> TO commands not yet supported"
        raise NotSupported(f"{message}; use COPY (SELECT...) TO ... instead")
    cursor.at_index = 1
    cursor.name("the name of a table")
    first = inside[0]
    start = first.start - len("FROM ")
    if start < cursor.tokens[0].start or cursor.at_index != at:
        cursor.fail("TO", token=cursor.tokens[cursor.at_index])
    # FROM stands where COPY stood, so that every position in the table's name stays what it is.
    text = f"{cursor.text[:start]}FROM {cursor.text[first.start :]}"
    tokens = [Token("word", "FROM", start, first.start - 1), *inside]
    return _query(Cursor(text, cursor.piece, cursor.dialect), tokens)


def _is_ordered(tokens: list[Token]) -> bool:
    depth = 0
    for token, after in pairwise(tokens):
        if token.kind == "op":
            depth += (token.text in "([{") - (token.text in ")]}")
        elif depth == 0 and token.kind == "word" and (token.upper, after.upper) == ("ORDER", "BY"):
            return True
    return False


class _Given:
    """The options in parentheses, each at most once."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._connection: Name | None = None

    def read(self, cursor: Cursor) -> None:
        """Read one; the equals sign may be left out."""
        at = cursor.token
        word = cursor.expect_one("AWS", "FORMAT", "MAX", "DELIMITER", "QUOTE", "ESCAPE", "NULL", "HEADER")
        if word == "AWS":
            cursor.expect("CONNECTION")
        elif word == "MAX":
            cursor.expect("FILE", "SIZE")
        if word in self._values:
            cursor.fail(message=f"{word} is given twice", token=at)
        equals = cursor.accept_op("=")
        if word == "AWS":
            self._values[word] = ""
            self._connection = cursor.name("the name of a connection")
        elif word == "HEADER" and not equals and (cursor.at_op(",") or cursor.at_op(")")):
            self._values[word] = "TRUE"
        else:
            if cursor.token.kind not in {"word", "string", "number"}:
                cursor.fail("option value")
            value = cursor.next().text
            if word == "MAX" and cursor.token.kind == "word":
                value += cursor.next().text  # 16 MB, without quotes
            self._values[word] = value

    def statement(self, query: DataStatement, url: str, cursor: Cursor) -> CopyToStore:
        """Return the statement, its options checked in Materialize's order."""
        values = self._values
        if "FORMAT" not in values:
            raise InvalidParameter("COPY TO <expr> requires a FORMAT option")
        if self._connection is None:
            raise InvalidParameter("AWS CONNECTION is required for COPY ... TO <expr>")
        kind = values["FORMAT"].lower()
        if kind in {"text", "binary"}:
            raise NotSupported(f"FORMAT {kind} is not supported for COPY ... TO <expr>", hint="csv and parquet are")
        if kind not in {"csv", "parquet"}:
            raise InvalidParameter(f"unknown FORMAT: {kind[:64]}")
        for name in ("DELIMITER", "QUOTE", "ESCAPE", "NULL", "HEADER"):
            if name in values and kind != "csv":
                raise InvalidParameter(f"COPY {name.lower()} available only in CSV mode")
            if name in {"DELIMITER", "QUOTE", "ESCAPE"} and len(values.get(name, "x").encode()) != 1:
                raise InvalidParameter(f"COPY {name.lower()} must be a single one-byte character")
        quote = values.get("QUOTE", '"')
        return CopyToStore(
            query=query,
            url=url,
            connection=self._connection,
            format="csv" if kind == "csv" else "parquet",
            max_file_size=_file_size(values.get("MAX")),
            delimiter=values.get("DELIMITER", ","),
            quote=quote,
            escape=values.get("ESCAPE", quote),
            null=values.get("NULL", ""),
            header=_flag(values.get("HEADER", "FALSE")),
            span=cursor.piece.span,
        )


def _file_size(text: str | None) -> int:
    if text is None:
        return _DEFAULT_SIZE
    found = _SIZE.fullmatch(text)
    if found is None:
        raise InvalidParameter("invalid MAX FILE SIZE", hint="MAX FILE SIZE = '256MB'")
    size = int(found[1]) * _UNITS[found[2].upper()]
    if size < _LEAST:
        raise InvalidParameter("MAX FILE SIZE cannot be less than 16MB")
    if size > _MOST:
        raise InvalidParameter("MAX FILE SIZE cannot be greater than 4GB")
    return size


def _flag(text: str) -> bool:
    if text.upper() not in {"TRUE", "FALSE", "ON", "OFF"}:
        raise InvalidParameter("invalid HEADER: cannot use value as boolean")
    return text.upper() in {"TRUE", "ON"}
