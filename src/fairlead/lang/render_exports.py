"""Exports to canonical text: only what differs from the defaults is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.lang.lexer import rules_of
from fairlead.lang.masking import redact

if TYPE_CHECKING:
    from fairlead.lang import ast
    from fairlead.lang.writer import Writer

_BACK: Final = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def select_into(s: ast.SelectInto, w: Writer) -> str:
    """Return ``SELECT ... INTO LINK``."""
    parts = [_query(s.query, w), f"INTO LINK {w.name(s.link)} {w.string(s.path)}"]
    if s.format != "csv":
        parts.append(f"FORMAT {s.format.upper()}")
    else:
        parts += _csv(s.csv, w)
    parts += ["HEADER"] * s.header + ["WITH COMPRESSION"] * s.compression + ["ENABLE_OVERWRITE"] * s.overwrite
    return " ".join(parts)


def _csv(csv: ast.Csv, w: Writer) -> list[str]:
    fields = []
    if csv.terminated != "\t":
        fields.append(f"TERMINATED BY {_text(csv.terminated, w)}")
    if csv.enclosed or csv.optionally:
        fields.append(f"{'OPTIONALLY ' if csv.optionally else ''}ENCLOSED BY {_text(csv.enclosed, w)}")
    if csv.escaped != "\\":
        fields.append(f"ESCAPED BY {_text(csv.escaped, w)}")
    lines = []
    if csv.starting:
        lines.append(f"STARTING BY {_text(csv.starting, w)}")
    if csv.ending != "\n":
        lines.append(f"TERMINATED BY {_text(csv.ending, w)}")
    return ["FIELDS", *fields] * bool(fields) + ["LINES", *lines] * bool(lines)


def copy_to_store(s: ast.CopyToStore, w: Writer) -> str:
    """Return ``COPY ... TO``."""
    options = [
        f"AWS CONNECTION = {w.name(s.connection)}",
        f"FORMAT = '{s.format}'",
        f"MAX FILE SIZE = '{s.max_file_size}'",
    ]
    if s.format == "csv":
        options += [
            f"DELIMITER = {w.string(s.delimiter)}",
            f"QUOTE = {w.string(s.quote)}",
            f"ESCAPE = {w.string(s.escape)}",
            f"NULL = {w.string(s.null)}",
            f"HEADER = {'true' if s.header else 'false'}",
        ]
    return f"COPY ({_query(s.query, w)}) TO {w.string(s.url)} WITH ({', '.join(options)})"


def _query(query: ast.DataStatement, w: Writer) -> str:
    return query.text if w.reveal else redact(query.text, w.dialect)


def _text(value: str, w: Writer) -> str:
    """Return a string of FIELDS or LINES, which has escapes in every dialect."""
    if rules_of(w.dialect).backslash == "no":
        value = "".join(_BACK.get(char, char) for char in value)
    return w.string(value)
