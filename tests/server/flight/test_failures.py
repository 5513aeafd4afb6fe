"""Errors as Flight's statuses, told without paths, lines or secrets of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from fairlead import errors
from fairlead.errors import EngineError, FairleadError
from fairlead.server.flight import failures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.SqlSyntaxError("x"), pa.ArrowInvalid),
        (errors.InvalidParameter("x"), pa.ArrowInvalid),
        (errors.ProtocolViolation("x"), pa.ArrowInvalid),
        (errors.InFailedTransaction("x"), pa.ArrowInvalid),
        (errors.UndefinedTable("x"), pa.ArrowKeyError),
        (errors.UndefinedStatement("x"), pa.ArrowKeyError),
        (errors.InvalidCatalogName("x"), pa.ArrowKeyError),
        (errors.NotSupported("x"), pa.ArrowNotImplementedError),  # what pyarrow sends as UNIMPLEMENTED
        (errors.PermissionDenied("x"), fl.FlightUnauthorizedError),
        (errors.InvalidPassword("x"), fl.FlightUnauthenticatedError),
        (errors.LoginRefused("x"), fl.FlightUnauthenticatedError),
        (errors.QueryCanceled("x"), fl.FlightCancelledError),
        (errors.TooManyConnections("x"), fl.FlightUnavailableError),
        (errors.AdminShutdown("x"), fl.FlightUnavailableError),
        (EngineError("x"), fl.FlightInternalError),
        (EngineError("x", sqlstate="58000"), pa.ArrowException),
    ],
)
def test_the_sqlstate_decides_on_the_status(error: FairleadError, kind: type[Exception]) -> None:
    told = failures.told(error, lambda text: text)
    assert isinstance(told, kind)
    assert str(told) == f"{error.sqlstate}: x"


def test_everything_that_is_known_is_told_and_scrubbed() -> None:
    error = FairleadError("a secret", hint="try hunter2", detail="d")
    told = failures.told(error, lambda text: text.replace("hunter2", "<redacted>"))
    assert str(told) == "XX000: a secret\nDETAIL: d\nHINT: try <redacted>"


def test_a_defect_is_told_as_a_number() -> None:
    told = failures.told(ValueError("secret inside"), lambda text: text)
    assert str(told).startswith("XX000: internal error\nDETAIL: The log of the gateway tells more under ")
    assert "secret" not in str(told)


ERRORS = [
    errors.SqlSyntaxError("plain words"),
    errors.UndefinedTable("plain words"),
    errors.NotSupported("plain words"),
    errors.PermissionDenied("plain words"),
    EngineError("plain words", sqlstate="58000"),
]


class Server(fl.FlightServerBase):
    def do_action(self, context, action):
        raise failures.told(ERRORS[int(action.type)], str) from None

    def get_schema(self, context, descriptor):
        raise failures.bare(failures.told(ERRORS[int(descriptor.command)], str)) from None


@pytest.fixture(scope="module")
def client() -> Iterator[fl.FlightClient]:
    with Server(("127.0.0.1", 0)) as server, fl.connect(("127.0.0.1", server.port)) as one:
        yield one


@pytest.mark.parametrize("number", range(len(ERRORS)))
@pytest.mark.parametrize(
    "call",
    [
        lambda client, number: list(client.do_action((str(number), b""))),
        lambda client, number: client.get_schema(fl.FlightDescriptor.for_command(str(number))),
    ],
    ids=["do_action", "get_schema"],
)
def test_no_traceback_leaves_the_server(client: fl.FlightClient, number: int, call: Callable[..., object]) -> None:
    with pytest.raises(Exception, match="plain words") as caught:
        call(client, number)
    assert not any(word in str(caught.value) for word in ("Traceback", "File", ".py", "raise"))
