"""Errors as Flight has them: a status by SQLSTATE, and a text of SQLSTATE, message, detail and hint.

pyarrow gives two ways to end a call. Its own Flight errors carry a status of their own, but there is none among them
for a bad argument or a missing object. Errors of Arrow have those, but pyarrow adds the traceback to their text, with
paths and lines of the gateway. The classes below cannot be printed as a traceback, so that it adds only their name; a
test holds this.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.flight as fl
import structlog

from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from collections.abc import Callable

_log = structlog.get_logger("fairlead")
_LONGEST: Final = 4000  # characters; the text travels in a header, and clients take 8 KiB of those


class _Bare:
    """An error without a traceback in its text."""

    @property
    def __notes__(self) -> list[str]:
        message = "this error is not printed"
        raise RuntimeError(message)  # ends traceback.format_exception, which would name paths and lines


class InvalidArgument(_Bare, pa.ArrowInvalid):  # type: ignore[misc]  # pyarrow ships no types
    """Status INVALID_ARGUMENT."""


class NotFound(_Bare, pa.ArrowKeyError):  # type: ignore[misc]  # pyarrow ships no types
    """Status NOT_FOUND."""

    def __str__(self) -> str:
        return str(self.args[0])


class Unimplemented(_Bare, pa.ArrowNotImplementedError):  # type: ignore[misc]  # untyped; the status has this class
    """Status UNIMPLEMENTED."""


class Unknown(_Bare, pa.ArrowException):  # type: ignore[misc]  # pyarrow ships no types
    """Status UNKNOWN."""


# The longest prefix of the SQLSTATE decides (PostgreSQL appendix A).
_BY_SQLSTATE: Final[dict[str, type[Exception]]] = {
    "08": fl.FlightUnavailableError,
    "08P01": InvalidArgument,
    "0A": Unimplemented,
    "22": InvalidArgument,
    "23": InvalidArgument,
    "25": InvalidArgument,
    "26": NotFound,
    "28": fl.FlightUnauthenticatedError,
    "2B": InvalidArgument,
    "34": NotFound,
    "3D": NotFound,
    "3F": NotFound,
    "42": InvalidArgument,
    "42501": fl.FlightUnauthorizedError,
    "42704": NotFound,
    "42P01": NotFound,
    "53": fl.FlightUnavailableError,
    "54": InvalidArgument,
    "55": InvalidArgument,
    "57014": fl.FlightCancelledError,
    "57P": fl.FlightUnavailableError,
    "58P01": NotFound,
    "XX": fl.FlightInternalError,
}


def told(error: BaseException, scrub: Callable[[str], str]) -> Exception:
    """Return the error that ends a call.

    Args:
        error: what went wrong; of anything but Fairlead's own errors, the client learns a number that leads to the log.
        scrub: takes secrets out of a text.
    """
    if not isinstance(error, FairleadError):
        error = _internal(error)
    return _kind(error.sqlstate)(scrub(_text(error))[:_LONGEST])


def bare(error: Exception) -> Exception:
    """Return an error that pyarrow shows without its traceback even where it takes no Flight error (GetSchema)."""
    return Unknown(str(error)) if isinstance(error, fl.FlightError) else error


def _kind(sqlstate: str) -> type[Exception]:
    for length in range(len(sqlstate), 1, -1):
        if sqlstate[:length] in _BY_SQLSTATE:
            return _BY_SQLSTATE[sqlstate[:length]]
    return Unknown


def _text(error: FairleadError) -> str:
    lines = [f"{error.sqlstate}: {error.message}"]
    lines += [f"DETAIL: {error.detail}"] if error.detail else []
    lines += [f"HINT: {error.hint}"] if error.hint else []
    lines += [f"CONTEXT: {error.context}"] if error.context else []
    return "\n".join(lines)


def _internal(error: BaseException) -> FairleadError:
    number = secrets.token_hex(4)
    _log.error("internal error", error_id=number, exc_info=error)
    return FairleadError("internal error", detail=f"The log of the gateway tells more under {number}.")
