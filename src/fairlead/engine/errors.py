"""What the embedded engine says, as errors of the house: SQLSTATE, a clean message, the position in the text.

DuckDB reports JSON (``errors_as_json``) behind the name of the kind: ``Binder Error: {"exception_message": ...}``. Everything
here comes from a worker, so every field is checked.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from fairlead.errors import EngineError, FairleadError, OutOfMemory, PermissionDenied, QueryCanceled

if TYPE_CHECKING:
    from collections.abc import Mapping

_SQLSTATES: Final = {
    "Parser": "42601",
    "Syntax": "42601",
    "Binder": "42000",
    "Catalog": "42704",
    "Conversion": "22P02",
    "Out of Range": "22003",
    "Mismatch Type": "42804",
    "Invalid Type": "42804",
    "Divide by Zero": "22012",
    "IO": "58030",
    "HTTP": "58030",
    "Permission": "42501",
    "Constraint": "23505",
    "Not implemented": "0A000",
    "Invalid Input": "22023",
    "Parameter Not Resolved": "42P18",
    "Parameter Not Allowed": "42P02",
    "TransactionContext": "25000",
    "Transaction": "25000",
    "Dependency": "2BP01",
    "Sequence": "55000",
    "Object Size": "54000",
    "Serialization": "XX000",
    "INTERNAL": "XX000",
    "FATAL": "XX000",
}
_BINDER: Final = {"COLUMN_NOT_FOUND": "42703", "NO_MATCHING_FUNCTION": "42883"}
_CONSTRAINTS: Final = (("NOT NULL", "23502"), ("CHECK", "23514"), ("FOREIGN KEY", "23503"), ("foreign key", "23503"))
# The worker's own refusals, by the name of their class.
_WORKER: Final = {
    "BadParameter": "22P02",
    "RowTooLarge": "54000",
    "ArrowCapacityError": "54000",
}
_FENCE: Final = "file system operations are disabled by configuration"
_OUT_OF_MEMORY: Final = ("OutOfMemory", "Out of Memory", "MemoryError", "ArrowMemoryError")
_HEAD: Final = re.compile(r"\A([A-Za-z][A-Za-z ]*?) Error: ", re.ASCII)
_MAX_MESSAGE: Final = 8000


def refusal(
    report: Mapping[str, Any], sql: str, *, port: int = 0, aliases: Mapping[str, str] | None = None
) -> FairleadError:
    """Return the error that a worker's report stands for.

    Args:
        report: ``kind`` (class of the worker's exception) and ``message``.
        sql: the statement, for the position.
        port: of the store proxy; its addresses are mapped back to the user's URLs.
        aliases: bucket names of the session with the real ones.
    """
    name, text = str(report.get("kind", "")), str(report.get("message", ""))[: 4 * _MAX_MESSAGE]
    head = _HEAD.match(text)
    kind = head[1] if head else ""
    fields = _fields(text[head.end() :] if head else text)
    message = mapped(fields.get("exception_message") or text, port=port, aliases=aliases or {})[:_MAX_MESSAGE]
    position = _position(fields.get("position"), sql)
    if kind == "INTERRUPT" or name == "InterruptException":
        return QueryCanceled("canceling statement due to user request")
    if kind == "Out of Memory" or name.startswith(_OUT_OF_MEMORY) or "std::bad_alloc" in message or "malloc of size" in message:
        return OutOfMemory(
            "the statement needed more memory than a session may have",
            detail=message or None,
            hint="select fewer columns, filter earlier, or ask the administrator for a larger worker.memory_limit_mb",
        )
    if _FENCE in message:
        return PermissionDenied(
            f"only object stores can be read and written here: {_fenced(message)}",
            hint="name a stage (@stage/path) or an s3:// URL that one of your connections covers",
            position=position,
        )
    if name == "Refused":
        return EngineError(message, sqlstate="0A000" if "several" in message else "42501")
    return EngineError(message, sqlstate=_sqlstate(kind, name, fields, message), position=position)


def mapped(text: str, *, port: int, aliases: Mapping[str, str]) -> str:
    """Return a text with the proxy's addresses and the session's bucket names replaced by the user's URLs."""
    if port:
        text = re.sub(rf"https?://127\.0\.0\.1:{port}/", "s3://", text)
    for alias, bucket in aliases.items():
        text = re.sub(rf"\bs3://{re.escape(alias)}(?![\w.-])", lambda _, bucket=bucket: f"s3://{bucket}", text)
    return text


def _fields(text: str) -> dict[str, str]:
    if not text.startswith("{"):
        return {}
    try:
        fields, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return {}
    return {key: value for key, value in fields.items() if isinstance(value, str)}


def _fenced(message: str) -> str:
    quoted = re.search(r"[\"']([^\"']{1,200})[\"']", message)
    return quoted[1] if quoted else "the path is refused"


def _position(offset: str | None, sql: str) -> int | None:
    """Return the 1-based offset in characters; DuckDB counts bytes from 0."""
    if offset is None or not offset.isdecimal() or len(offset) > len(str(len(sql))) + 2:
        return None
    raw = sql.encode()
    at = int(offset)
    return len(raw[:at].decode(errors="ignore")) + 1 if at <= len(raw) else None


def _sqlstate(kind: str, name: str, fields: Mapping[str, str], message: str) -> str:
    if name in _WORKER:
        return _WORKER[name]
    if kind == "Binder":
        missing_table = message.startswith("Referenced table")
        return "42P01" if missing_table else _BINDER.get(fields.get("error_subtype", ""), _SQLSTATES[kind])
    if kind == "Catalog":
        return _catalog_sqlstate(fields, message)
    if kind == "Constraint":
        return next((state for word, state in _CONSTRAINTS if word in message), _SQLSTATES[kind])
    if "Failed to cast value" in message:
        return "22P02"
    if kind == "TransactionContext" and "aborted" in message:
        return "25P02"
    return _SQLSTATES.get(kind, "XX000")


def _catalog_sqlstate(fields: Mapping[str, str], message: str) -> str:
    if "already exists" in message:
        return "42P07"
    missing = fields.get("type", message)
    if "Function" in missing or "Macro" in missing:
        return "42883"
    return "42P01" if "Table" in missing or "View" in missing else _SQLSTATES["Catalog"]
