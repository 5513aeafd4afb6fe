"""Statements that write the rows of a query into a store: SELECT ... INTO LINK, and COPY ... TO with a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.data import DataStatement
    from fairlead.lang.ast.values import Name

ExportFormat = Literal["csv", "parquet", "json"]


@dataclass(frozen=True, slots=True)
class Csv:
    r"""How MySQL writes lines (``SELECT ... INTO OUTFILE``), its defaults filled in.

    Args:
        terminated: after each field but the last.
        enclosed: around fields; empty for none.
        optionally: only around texts.
        escaped: before characters that mean something, and in ``\N`` for NULL; empty for none.
        starting: before each line.
        ending: after each line.
    """

    terminated: str = "\t"
    enclosed: str = ""
    optionally: bool = False
    escaped: str = "\\"
    starting: str = ""
    ending: str = "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectInto(Statement):
    """``SELECT ... INTO LINK [db.]link 'path' [options]``.

    Args:
        query: the text before INTO.
        link: whose credential is used.
        path: ``bucket/key`` or a URL.
        format: of the objects.
        csv: the lines, for that format.
        header: a first line with the names of the columns.
        compression: gzip.
        overwrite: what is there may be replaced.
    """

    query: DataStatement
    link: Name
    path: str
    format: ExportFormat = "csv"
    csv: Csv = Csv()
    header: bool = False
    compression: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyToStore(Statement):
    """``COPY (query | table) TO 's3://...' WITH (AWS CONNECTION = c, FORMAT = 'csv' | 'parquet', ...)``.

    Args:
        query: the query, or ``FROM table``.
        url: prefix of the objects.
        connection: whose credential is used.
        format: of the objects.
        max_file_size: bytes.
        delimiter, quote, escape, null, header: of CSV.
    """

    query: DataStatement
    url: str
    connection: Name
    format: Literal["csv", "parquet"]
    max_file_size: int
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    null: str = ""
    header: bool = False


Export = SelectInto | CopyToStore
