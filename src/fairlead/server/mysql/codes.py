"""Our SQLSTATEs as MySQL's error numbers and states (MySQL's "Server Error Message Reference").

A number that is not here is 1105 (unknown error), and keeps its own state, unless that would mean something else to a
MySQL client: class 08 makes connection pools throw the connection away.
"""

from __future__ import annotations

from typing import Final

from fairlead.errors import AdminShutdown, FairleadError, ProtocolViolation, StoreRefusedCredential

_UNKNOWN: Final = 1105
_GENERAL: Final = "HY000"
_STORE: Final = (1429, _GENERAL)
_CODES: Final = {
    "08001": _STORE,
    "08P01": (1835, _GENERAL),
    "0A000": (1235, "42000"),
    "22003": (1264, "22003"),
    "22007": (1292, "22007"),
    "22008": (1292, "22007"),
    "22012": (1365, "22012"),
    "22018": (1292, "22007"),
    "22021": (1300, _GENERAL),
    "22023": (1231, "42000"),
    "22P02": (1292, "22007"),
    "23502": (1048, "23000"),
    "23503": (1452, "23000"),
    "23505": (1062, "23000"),
    "23514": (3819, _GENERAL),
    "26000": (1243, _GENERAL),
    "28000": (1045, "28000"),
    "28P01": (1045, "28000"),
    "3D000": (1049, "42000"),
    "3F000": (1049, "42000"),
    "40001": (1213, "40001"),
    "42501": (1142, "42000"),
    "42601": (1064, "42000"),
    "42701": (1060, "42S21"),
    "42702": (1052, "23000"),
    "42703": (1054, "42S22"),
    "42803": (1055, "42000"),
    "42883": (1305, "42000"),
    "42P01": (1146, "42S02"),
    "42P07": (1050, "42S01"),
    "53200": (1041, _GENERAL),
    "53300": (1040, "08004"),
    "54000": (1118, "42000"),
    "57014": (1317, "70100"),
    "57P01": (1053, "08S01"),
    "58000": (_UNKNOWN, _GENERAL),
}


class MysqlError(FairleadError):
    """An error that only MySQL clients know.

    Args:
        message: what was wrong.
        number: MySQL's.
        sqlstate: MySQL's.
        hint: what the reader can do.
    """

    def __init__(self, message: str, number: int, sqlstate: str = _GENERAL, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.number = number
        self.sqlstate = sqlstate  # type: ignore[misc]  # narrower than the class attribute on purpose


def number_and_state(error: FairleadError) -> tuple[int, str]:
    """Return what a MySQL client is told an error is."""
    match error:
        case MysqlError(number=number, sqlstate=state):
            return number, state
        case StoreRefusedCredential():  # it is not the client that was refused
            return _STORE
        case AdminShutdown() | ProtocolViolation():
            return _CODES[error.sqlstate]
    if error.sqlstate in _CODES:
        return _CODES[error.sqlstate]
    return _UNKNOWN, _GENERAL if error.sqlstate.startswith("08") else error.sqlstate
