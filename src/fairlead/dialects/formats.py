"""File formats of stages: the options that are known, and how the engine reads each format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.errors import InvalidParameter
from fairlead.lang import ast
from fairlead.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One format.

    Args:
        reader: table function of the engine.
        suffix: what file names of a folder in this format end in.
        options: option of a stage -> argument of the reader.
        fixed: arguments that are always given.
    """

    reader: str
    suffix: str
    options: Mapping[str, str]
    fixed: str = ""

    def arguments(self, chosen: Mapping[str, str]) -> str:
        """Return the arguments after the path, each with a leading comma."""
        given = ((argument, name) for name, argument in self.options.items() if name in chosen)
        return self.fixed + "".join(f", {argument}={_literal(name, chosen[name])}" for argument, name in given)

    def copy_options(self, chosen: Mapping[str, str]) -> str:
        """Return the same as the options of COPY ... FROM, with a leading blank."""
        given = [f"FORMAT {self.reader.removeprefix('read_')}"]
        given += ["delim '\t'"] if "delim" in self.fixed else []
        given += [f"{to} {_literal(name, chosen[name])}" for name, to in self.options.items() if name in chosen]
        return f" ({', '.join(given)})"


_CSV: Final = {
    "FIELD_DELIMITER": "delim",
    "QUOTE": "quote",
    "ESCAPE": "escape",
    "SKIP_HEADER": "header",
    "COMPRESSION": "compression",
    "NULL_DISPLAY": "nullstr",
}

FORMATS: Final[Mapping[str, FileFormat]] = {
    "CSV": FileFormat("read_csv", ".csv*", _CSV),
    "TSV": FileFormat("read_csv", ".tsv*", {k: v for k, v in _CSV.items() if k != "FIELD_DELIMITER"}, ", delim='\t'"),
    "PARQUET": FileFormat("read_parquet", ".parquet", {}),
    "NDJSON": FileFormat("read_json", ".*json*", {"COMPRESSION": "compression"}, ", format='newline_delimited'"),
    "JSON": FileFormat("read_json", ".json*", {"COMPRESSION": "compression"}),
}

_COMPRESSIONS: Final = ("AUTO", "NONE", "GZIP", "ZSTD")


def check_format(options: Sequence[ast.Option]) -> dict[str, str]:
    """Return the options of ``FILE_FORMAT = (...)`` as plain texts, checked.

    Raises:
        InvalidParameter: an unknown format or option, or a value that it cannot have.
    """
    chosen = {option.name.upper(): _plain(option) for option in options}
    if not chosen:
        return {}
    kind = chosen.get("TYPE", "").upper()
    if kind not in FORMATS:
        close = nearest(kind, FORMATS)
        message = f"unknown file format '{kind}'" if kind else "FILE_FORMAT needs TYPE"
        hint = f"did you mean {close}?" if close else "one of " + ", ".join(sorted(FORMATS))
        raise InvalidParameter(message, hint=hint)
    known = FORMATS[kind].options
    for name in chosen:
        if name not in known and name != "TYPE":
            close = nearest(name, known)
            message = f"Unsupported options for {kind}: {name}"
            raise InvalidParameter(message, hint=f"did you mean {close}?" if close else None)
    compression = chosen.get("COMPRESSION", "AUTO").upper()
    if compression not in _COMPRESSIONS:
        message = f"unknown COMPRESSION '{compression}'"
        raise InvalidParameter(message, hint="one of " + ", ".join(_COMPRESSIONS))
    return {**chosen, "TYPE": kind}


def _plain(option: ast.Option) -> str:
    if not isinstance(option.value, ast.Text):
        message = f"{option.name} needs a plain value"
        raise InvalidParameter(message)
    return option.value.value.reveal()


def _literal(name: str, value: str) -> str:
    if name == "SKIP_HEADER":
        return "true" if value not in ("0", "NONE") else "false"
    if name == "COMPRESSION":
        value = value.lower()
    return "'" + value.replace("'", "''") + "'"
