"""What the embedded engine says, as errors of the house: SQLSTATE, a clean message, the position in the text.

DuckDB reports JSON (``errors_as_json``) behind the name of the kind: ``Binder Error: {"exception_message": ...}``.
Everything here comes from a worker, so every field is checked.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from fairlead.engine.wording import worded
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
_SUBTYPES: Final = {"COLUMN_NOT_FOUND": "42703", "NO_MATCHING_FUNCTION": "42883"}
# Kinds that hold several of PostgreSQL's: told apart by a word of the text.
_BY_TEXT: Final = (
    ("Binder", "Referenced table", "42P01"),
    ("Binder", "Referenced update column", "42703"),
    ("Binder", "does not have a column with name", "42703"),
    ("Binder", "Cannot rename table", "42P07"),
    ("Binder", "not found in DuckLakeCatalog", "3F000"),
    ("Constraint", "NOT NULL", "23502"),
    ("Constraint", "CHECK", "23514"),
    ("Constraint", "FOREIGN KEY", "23503"),
    ("Constraint", "foreign key", "23503"),
    ("IO", "No files found", "58P01"),
    ("Invalid Input", "Failed to cast value", "22P02"),
    ("TransactionContext", "aborted", "25P02"),
)
# By the beginning of the text, because the rest of it holds names that users choose.
_CATALOG: Final = (
    ("Column with name", "42701"),
    ("Schema with name", "42P06"),
    ("Failed to rename column", "42703"),
    ("Failed to alter column", "42703"),
    ("Existing object", "42809"),
)
# The worker's own refusals, by the name of their class.
_WORKER: Final = {
    "BadCopy": "22P04",
    "BadFormats": "08P01",
    "BadParameter": "22P02",
    "RowTooLarge": "54000",
    "NumberTooLarge": "22003",
    "MomentOutOfRange": "22008",
    "ArrowCapacityError": "54000",
}
_FENCE: Final = "file system operations are disabled by configuration"
_OUT_OF_MEMORY: Final = ("OutOfMemory", "Out of Memory", "MemoryError", "ArrowMemoryError")
_NO_MEMORY: Final = ("std::bad_alloc", "malloc of size", "realloc of size")
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
    fields = _fields(text[head.end() :] if head else text)
    # What comes through an Arrow stream, after the first rows, has no head.
    kind = head[1] if head else fields.get("exception_type", "")
    message = mapped(fields.get("exception_message") or text, port=port, aliases=aliases or {})[:_MAX_MESSAGE]
    position = _position(fields.get("position"), sql)
    if kind == "INTERRUPT" or name == "InterruptException":
        return QueryCanceled("canceling statement due to user request")
    if name in ("Refused", "Unsupported"):
        unsupported = name == "Unsupported" or "several" in message
        hint = "ADD COLUMN b BOOLEAN DEFAULT true is written DEFAULT 'true'" if "several" in message else None
        return EngineError(message, sqlstate="0A000" if unsupported else "42501", hint=hint)
    if kind == "Out of Memory" or name.startswith(_OUT_OF_MEMORY) or any(word in message for word in _NO_MEMORY):
        return OutOfMemory(
            "the statement needed more memory than a session may have",
            detail=message.partition("\n\nPossible solutions")[0] or None,
            hint="select fewer columns, filter earlier, or ask the administrator for a larger worker.memory_limit_mb",
        )
    told = worded(message)
    return _out_of_reach(message, position) or EngineError(
        told.message, sqlstate=_sqlstate(kind, name, fields, message), hint=told.hint, position=position
    )


def _out_of_reach(message: str, position: int | None) -> PermissionDenied | None:
    """Return the error for a place that a worker cannot get to: by the fence, or because there is no way to it."""
    hint = "name a stage (@stage/path) or an s3:// URL that one of your connections covers"
    if _FENCE in message:
        where = _fenced(message)
        return PermissionDenied(
            f"only object stores can be read and written here: {where}", hint=hint, position=position
        )
    if "Could not establish connection" in message:
        return PermissionDenied(
            "the statement asked for an address that it cannot reach: only s3:// locations of your connections can be",
            hint=hint,
        )
    if "HTTP 403" in message or "Authentication Failure" in message:
        return PermissionDenied(
            "the request did not come with the key of this session",
            hint="leave parameters like ?s3_access_key_id= out of the URL",
        )
    return None


def mapped(text: str, *, port: int, aliases: Mapping[str, str]) -> str:
    """Return a text with the proxy's addresses and the session's bucket names replaced by the user's URLs."""
    if port:
        text = re.sub(rf"https?://127\.0\.0\.1:{port}/", "s3://", text)
    for alias, bucket in aliases.items():
        text = re.sub(rf"\bs3://{re.escape(alias)}(?![\w.-])", f"s3://{bucket}".replace("\\", r"\\"), text)
    return text


def _fields(text: str) -> dict[str, str]:
    try:
        fields, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    pairs = fields.items() if isinstance(fields, dict) else ()
    return {key: value for key, value in pairs if isinstance(value, str)}


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
    for where, word, sqlstate in _BY_TEXT:
        if kind == where and word in message:
            return sqlstate
    if kind == "Catalog":
        return _catalog_sqlstate(fields, message)
    return _SUBTYPES.get(fields.get("error_subtype", ""), _SQLSTATES.get(kind, "XX000"))


def _catalog_sqlstate(fields: Mapping[str, str], message: str) -> str:
    for beginning, sqlstate in _CATALOG:
        if message.startswith(beginning):
            return sqlstate
    if "already exists" in message:
        return "42P07"
    missing = fields.get("type", message)
    if "Function" in missing or "Macro" in missing:
        return "42883"
    return "42P01" if "Table" in missing or "View" in missing else _SQLSTATES["Catalog"]
