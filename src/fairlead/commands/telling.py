"""Errors of data statements in the user's terms: what the store proxy knows goes before what the engine saw of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.commands.introspection.failures import coded
from fairlead.errors import EngineError, FairleadError, PermissionDenied, StoreUnreachable, UndefinedFile

if TYPE_CHECKING:
    from fairlead.engine.planner import Plan

_STORE_FAILURES: Final = frozenset({"58030", "58P01"})


def told(failure: FairleadError, cause: FairleadError | None, plan: Plan) -> FairleadError:
    """Return an error in the user's terms: the cause that egress kept, else the engine's at its place in their text."""
    if cause is not None and isinstance(failure, EngineError | PermissionDenied):
        # A missing file, or a busy store, may have been met and got over before something else failed.
        passing = isinstance(cause, UndefinedFile | StoreUnreachable)
        if not passing or failure.sqlstate in _STORE_FAILURES:
            return cause
    if plan.catalogs:
        failure = coded(failure)
    if failure.position is not None:
        failure.position = plan.typed_position(failure.position)
    return failure
