r"""The text with which a worker writes the rows of a query as objects, in the form that an export asks for.

DuckDB's CSV writer knows quotes, MySQL's lines know escapes: each column becomes an expression that escapes and
encloses it, and the writer, told to quote nothing, only puts delimiters between. What it cannot put between (it writes
the first byte of a longer one, and fails on what is not ASCII) is joined by an expression, and rows with binary columns
are written as bytes.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.engine.planner import Plan
    from fairlead.lang.ast import CopyToStore, Csv, SelectInto

Column = tuple[str, str]  # name, type in DuckDB's spelling

DESCRIBE: Final = "DESCRIBE SELECT * FROM (\n"
_NUMBER: Final = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|U(INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL\(.*|BIGNUM)")
_PLAIN: Final = re.compile(r"(DATE|TIME|TIMESTAMP)( WITH TIME ZONE|_S|_MS|_NS)?|UUID")
_IN_PLAIN: Final = frozenset("0123456789+-.: abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ()")
_DELIMITER: Final = re.compile(r"[\x01-\x7f]")
_ENDING: Final = re.compile(r"[\x01-\x7f]+")
WIDE: Final = re.compile(r"\bU?HUGEINT\b(?=[\[\]),]|$)")
_SPAN: Final = re.compile(r"\bINTERVAL\b(?=[\[\]),]|$)")
_COPIED_BOOLEAN: Final = ("t", "f")
_MYSQL_BOOLEAN: Final = ("1", "0")


@dataclass(frozen=True, slots=True)
class Written:
    """A statement that writes objects.

    Args:
        sql: for a worker.
        start: where the query begins in it.
        counted: whether its result has a row for each object: name, rows, and more.
    """

    sql: str
    start: int
    counted: bool = False

    def plan(self, query: Plan) -> Plan:
        """Return the plan whose positions lead to where the query was typed."""
        moved = tuple((at + self.start, size, typed + self.start, was) for at, size, typed, was in query.replaced)
        return replace(query, sql=self.sql, verb="COPY", start=query.start - self.start, replaced=moved)


def describe_sql(query: str) -> str:
    """Return the statement that tells the columns of a query, which begins ``len(DESCRIBE)`` characters in it."""
    return f"{DESCRIBE}{query}\n) AS fairlead_query"


def described(rows: Sequence[bytes]) -> list[Column]:
    """Return the columns from the answer to ``describe_sql``.

    Args:
        rows: blocks of DataRow messages.
    """
    return [(fields[0] or "", fields[1] or "") for block in rows for fields in data_rows(block)]


def data_rows(block: bytes) -> list[list[str | None]]:
    """Return the texts of complete DataRow messages (PostgreSQL's protocol, 55.7)."""
    found: list[list[str | None]] = []
    at = 0
    while at < len(block):
        (count,) = struct.unpack_from("!H", block, at + 5)
        at += 7
        fields: list[str | None] = []
        for _ in range(count):
            (size,) = struct.unpack_from("!i", block, at)
            at += 4
            fields.append(block[at : at + size].decode() if size >= 0 else None)
            at += max(size, 0)
        found.append(fields)
    return found


def select_into_sql(statement: SelectInto, query: str, columns: Sequence[Column], url: str, *, folder: bool) -> Written:
    """Return what runs a SELECT ... INTO.

    Args:
        statement: says the format.
        query: as the planner wrote it.
        columns: of the query.
        url: of the object, or of the folder without a final slash.
        folder: whether several objects are written, in parallel.
    """
    several = ["PER_THREAD_OUTPUT true", "OVERWRITE_OR_IGNORE true"] if folder else []
    gzip = ["COMPRESSION gzip"] if statement.compression else []
    match statement.format:
        case "parquet":
            counted = ["RETURN_STATS true"] if folder else []
            options = ["FORMAT parquet", *counted, *several]
            return _copy(_parquet(columns), query, columns, url, options, counted=folder)
        case "json":
            return _copy(_named(columns), query, columns, url, ["FORMAT json", *gzip, *several])
    csv = statement.csv
    headers = _headers(csv, columns) if statement.header else [f"c{at}" for at in range(len(columns))]
    binary = any(kind == "BLOB" for _, kind in columns)
    unnamed = statement.header and "\0" in csv.starting + csv.terminated + "".join(
        headers
    )  # no column can be called so
    if binary or unnamed or not _ENDING.fullmatch(csv.ending):
        return _bytes(statement, query, columns, url, gzip)
    null = _null(csv)
    options = ["FORMAT csv", f"HEADER {_flag(statement.header)}", "QUOTE ''", "ESCAPE ''"]
    options += [f"NEW_LINE {literal(csv.ending)}", *gzip, *several]
    plain = _DELIMITER.fullmatch(csv.terminated) and csv.terminated not in null
    if plain and len({name.casefold() for name in headers}) == len(columns):
        options += [f"DELIMITER {literal(csv.terminated)}", f"NULLSTR {literal(null)}"]
        fields = [_field(csv, at, kind) for at, (_, kind) in enumerate(columns)]
        if csv.starting:
            fields[0] = f"{literal(csv.starting)} || coalesce({fields[0]}, {literal(null)})"
        headers[0] = csv.starting + headers[0] if statement.header else headers[0]
        selected = [f"{field} AS {identifier(name)}" for field, name in zip(fields, headers, strict=True)]
        return _copy(selected, query, columns, url, options)
    header = csv.starting + csv.terminated.join(headers) if statement.header else "line"
    options += ["DELIMITER ''", "NULLSTR ''"]
    return _copy([f"{_line(csv, columns)} AS {identifier(header)}"], query, columns, url, options)


def copy_to_store_sql(statement: CopyToStore, query: str, columns: Sequence[Column], url: str) -> Written:
    """Return what runs a COPY ... TO with a connection; arguments as for ``select_into_sql``."""
    options = [f"FILE_SIZE_BYTES {statement.max_file_size}", "OVERWRITE_OR_IGNORE true"]
    if statement.format == "parquet":
        options = ["FORMAT parquet", "RETURN_STATS true", *options]
        return _copy(_parquet(columns), query, columns, url, options, counted=True)
    options = [
        *("FORMAT csv", f"HEADER {_flag(statement.header)}", f"DELIMITER {literal(statement.delimiter)}"),
        *(f"QUOTE {literal(statement.quote)}", f"ESCAPE {literal(statement.escape)}"),
        *(f"NULLSTR {literal(statement.null)}", *options),
    ]
    selected = [
        f"{_boolean(at, _COPIED_BOOLEAN) if kind == 'BOOLEAN' else f'c{at}'} AS {identifier(name)}"
        for at, (name, kind) in enumerate(columns)
    ]
    return _copy(selected, query, columns, url, options)


def _copy(
    selected: Sequence[str],
    query: str,
    columns: Sequence[Column],
    url: str,
    options: Sequence[str],
    *,
    counted: bool = False,
) -> Written:
    head = f"COPY (SELECT {', '.join(selected)} FROM (\n"  # noqa: S608  # quoted here; it runs in the user's own worker
    names = ", ".join(f"c{at}" for at in range(len(columns)))
    tail = f"\n) AS fairlead_query({names})) TO {literal(url)} ({', '.join(options)})"
    return Written(head + query + tail, len(head), counted)


def _bytes(statement: SelectInto, query: str, columns: Sequence[Column], url: str, gzip: Sequence[str]) -> Written:
    """Write rows as bytes, by one thread: a text can hold neither all of a binary column nor an empty line end."""
    csv = statement.csv
    parts: list[str] = []
    for at, (_, kind) in enumerate(columns):
        null = f"system.main.encode({literal(_null(csv))})"
        value = _blob(csv, at) if kind == "BLOB" else f"system.main.encode({_field(csv, at, kind)})"
        parts.append(f"coalesce({value}, {null})")
    between = f" || system.main.encode({literal(csv.terminated)}) || "
    starting, ending = (f"system.main.encode({literal(text)})" for text in (csv.starting, csv.ending))
    line = f"{starting} || {between.join(parts)} || {ending}"
    if statement.header:
        header = csv.starting + csv.terminated.join(_headers(csv, columns)) + csv.ending
        names = ", ".join(f"c{at}" for at in range(len(columns)))
        first = f"SELECT system.main.encode({literal(header)}) AS line"
        head = f"COPY ({first} UNION ALL SELECT {line} FROM (\n"  # noqa: S608  # as in _copy
        tail = f"\n) AS fairlead_query({names})) TO {literal(url)} ({', '.join(['FORMAT blob', *gzip])})"
        return Written(head + query + tail, len(head))
    return _copy([f"{line} AS line"], query, columns, url, ["FORMAT blob", *gzip])


# --- MySQL's lines ---------------------------------------------------------------------------------------------------


def _null(csv: Csv) -> str:
    return f"{csv.escaped}N" if csv.escaped else "NULL"


def _headers(csv: Csv, columns: Sequence[Column]) -> list[str]:
    """Return the names of the columns as they stand in a header: like texts."""
    return [f"{csv.enclosed}{escaped_text(name, csv)}{csv.enclosed}" for name, _ in columns]


def escaped_text(text: str, csv: Csv) -> str:
    """Return a text as it stands in a field, without what encloses it."""
    special = _special(csv, enclosed=bool(csv.enclosed))
    return "".join(csv.escaped + ("0" if char == "\0" else char) if char in special else char for char in text)


def _special(csv: Csv, *, enclosed: bool) -> str:
    """Return the characters that are escaped (MySQL 8, "SELECT ... INTO", and its select_export::send_data)."""
    if not csv.escaped:
        return ""
    edge = csv.enclosed if enclosed else csv.terminated[:1]
    return "".join(dict.fromkeys(csv.escaped + edge + csv.ending[:1] + "\0"))


def _field(csv: Csv, at: int, kind: str) -> str:
    """Return the expression of one field; NULL stays NULL."""
    number = _NUMBER.fullmatch(kind) is not None or kind == "BOOLEAN"
    value = _boolean(at, _MYSQL_BOOLEAN) if kind == "BOOLEAN" else f"CAST(c{at} AS VARCHAR)"
    enclosed = bool(csv.enclosed) and not (csv.optionally and number)
    special = _special(csv, enclosed=enclosed)
    if not (number or _PLAIN.fullmatch(kind)) or set(special) & _IN_PLAIN:
        value = _escaped(value, special, csv.escaped)
    return f"{literal(csv.enclosed)} || {value} || {literal(csv.enclosed)}" if enclosed else value


def _escaped(value: str, special: str, escape: str) -> str:
    """Return a text with every special character escaped; few texts hold one, so that is looked for first."""
    if not special:
        return value
    result = value
    for char in special:
        written = escape + ("0" if char == "\0" else char)
        result = f"system.main.replace({result}, {literal(char)}, {literal(written)})"
    pattern = "[" + "".join(f"\\x{{{ord(char):x}}}" for char in special) + "]"
    return f"CASE WHEN system.main.regexp_matches({value}, '{pattern}') THEN {result} ELSE {value} END"


def _boolean(at: int, words: tuple[str, str]) -> str:
    return f"CASE c{at} WHEN true THEN '{words[0]}' WHEN false THEN '{words[1]}' END"


def _line(csv: Csv, columns: Sequence[Column]) -> str:
    null = literal(_null(csv))
    fields = [f"coalesce({_field(csv, at, kind)}, {null})" for at, (_, kind) in enumerate(columns)]
    return f"{literal(csv.starting)} || " + f" || {literal(csv.terminated)} || ".join(fields)


def _blob(csv: Csv, at: int) -> str:
    """Return a binary column escaped: its bytes as digits with a blank after each two, so that pairs stay pairs."""
    special = _special(csv, enclosed=bool(csv.enclosed))
    pairs = f"system.main.regexp_replace(system.main.hex(c{at}), '(..)', '\\1 ', 'g')"
    for char in special:
        written = (csv.escaped + ("0" if char == "\0" else char)).encode().hex(" ").upper()
        pairs = f"system.main.replace({pairs}, '{char.encode().hex(' ').upper()} ', '{written} ')"
    value = f"system.main.unhex(system.main.replace({pairs}, ' ', ''))"
    edge = f"system.main.encode({literal(csv.enclosed)})"
    return f"{edge} || {value} || {edge}" if csv.enclosed else value


# --- other formats ---------------------------------------------------------------------------------------------------


def _named(columns: Sequence[Column]) -> list[str]:
    return [f"c{at} AS {identifier(name)}" for at, (name, _) in enumerate(columns)]


def _parquet(columns: Sequence[Column]) -> list[str]:
    """Return the columns, those cast that Parquet would hold as something less exact."""
    selected: list[str] = []
    for at, (name, kind) in enumerate(columns):
        held = _SPAN.sub("VARCHAR", WIDE.sub("DECIMAL(38,0)", kind))
        if kind.startswith("UNION("):
            held = "VARCHAR"
        value = f"c{at}" if held == kind else f"CAST(c{at} AS {held})"
        selected.append(f"{value} AS {identifier(name)}")
    return selected


def literal(text: str) -> str:
    """Return a text as SQL; the character NUL cannot stand in a literal."""
    pieces = ["'" + piece.replace("'", "''") + "'" for piece in text.split("\0")]
    return pieces[0] if len(pieces) == 1 else "(" + " || system.main.chr(0) || ".join(pieces) + ")"


def identifier(name: str) -> str:
    """Return a name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def _flag(value: bool) -> str:  # it is what it says
    return "true" if value else "false"
