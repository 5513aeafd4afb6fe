"""Errors of the catalogs' functions, which the engine can only give one code, with PostgreSQL's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead.errors import EngineError

if TYPE_CHECKING:
    from fairlead.errors import FairleadError

_RAISED: Final = "22023"  # what error() of a macro becomes
_CODES: Final = (
    (re.compile(r'relation ".*" does not exist', re.DOTALL), "42P01"),
    (re.compile(r'schema ".*" does not exist', re.DOTALL), "3F000"),
    (re.compile(r'(?:role|type|function) ".*" does not exist', re.DOTALL), "42704"),
    (re.compile(r'unrecognized configuration parameter ".*"', re.DOTALL), "42704"),
)


def coded(failure: FairleadError) -> FairleadError:
    """Return the failure of a statement that names the catalogs, with the code that PostgreSQL gives it."""
    if isinstance(failure, EngineError) and failure.sqlstate == _RAISED:
        found = next((code for pattern, code in _CODES if pattern.fullmatch(failure.message)), None)
        if found is not None:
            return EngineError(failure.message, sqlstate=found, hint=failure.hint)
    return failure
