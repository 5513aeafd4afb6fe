"""Errors as HTTP has them: a status by SQLSTATE, and a JSON body in the words of the other listeners."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final

import structlog

from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.session_types import Notice

_log = structlog.get_logger("fairlead")

# The longest prefix of a SQLSTATE decides (PostgreSQL, appendix A).
_STATUS: Final = {
    "": 500,
    "08P01": 400,
    "0A": 400,
    "21": 400,
    "22": 400,
    "23": 409,
    "25": 409,
    "26": 404,
    "28": 403,
    "28P01": 401,
    "2B": 409,
    "34": 404,
    "3D": 404,
    "3F": 404,
    "40": 409,
    "42": 400,
    "42501": 403,
    "42703": 404,
    "42704": 404,
    "42883": 404,
    "42P01": 404,
    "42P07": 409,
    "42710": 409,
    "53": 503,
    "53300": 429,
    "54": 413,
    "55": 409,
    "57": 503,
    "57014": 408,
    "58P01": 404,
    "58P02": 409,
}


class HttpRefused(FairleadError):
    """The request is not one of this API.

    Args:
        status: of the answer.
        message: as for every error.
        hint: the same.
        headers: that belong to the status.
    """

    sqlstate = "08P01"

    def __init__(
        self, status: int, message: str, *, hint: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.headers = headers or {}


class Unauthorized(HttpRefused):
    """Nobody has proved to be a user."""

    sqlstate = "28P01"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        headers = {"WWW-Authenticate": 'Basic realm="fairlead", charset="UTF-8"'}  # RFC 7617
        super().__init__(401, message, hint=hint, headers=headers)


def status_of(error: FairleadError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, HttpRefused):
        return error.status
    state = error.sqlstate
    return next(_STATUS[state[:length]] for length in range(len(state), -1, -1) if state[:length] in _STATUS)


def error_fields(error: FairleadError, scrub: Callable[[str], str]) -> dict[str, Any]:
    """Return an error as a JSON object; its position counts characters of the statement's text, from 1."""
    fields: dict[str, Any] = {"sqlstate": error.sqlstate, "message": scrub(error.message)}
    for name, text in (("detail", error.detail), ("hint", error.hint), ("context", error.context)):
        if text is not None:
            fields[name] = scrub(text)
    if error.position is not None and error.position > 0:
        fields["position"] = error.position
    return fields


def notice_fields(notice: Notice, scrub: Callable[[str], str]) -> dict[str, Any]:
    """Return a notice as a JSON object."""
    fields: dict[str, Any] = {
        "severity": notice.severity,
        "sqlstate": notice.sqlstate,
        "message": scrub(notice.message),
    }
    for name, text in (("detail", notice.detail), ("hint", notice.hint)):
        if text is not None:
            fields[name] = scrub(text)
    return fields


def body_of(error: FairleadError, scrub: Callable[[str], str]) -> bytes:
    """Return the body of an answer that is nothing but an error."""
    return json.dumps({"error": error_fields(error, scrub)}).encode() + b"\n"


def internal(error: Exception) -> FairleadError:
    """Return what a client may know of a defect: a number that leads to the log."""
    number = secrets.token_hex(4)
    _log.error("internal error", error_id=number, exc_info=error)
    return FairleadError("internal error", detail=f"The log of the gateway tells more under {number}.")
