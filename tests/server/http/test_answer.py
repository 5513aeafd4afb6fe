"""Outputs of a session as the bytes of an answer."""

from __future__ import annotations

import asyncio
import json

import pyarrow as pa
import pytest

from fairlead.engine.api import Column
from fairlead.errors import NotSupported
from fairlead.server.http.answer import ArrowAnswer, JsonAnswer
from fairlead.session_types import (
    Complete,
    CopyIn,
    EmptyStatement,
    Notice,
    ResultColumns,
    ResultRows,
    ResultValues,
)


def scrub(text: str) -> str:
    return text.replace("hidden", "*")


def given(answer, *outputs) -> bytes:
    async def all_of_them():
        return b"".join([await answer.take(output) for output in outputs]) + await answer.finish()

    return asyncio.run(all_of_them())


COLUMNS = ResultColumns((Column("a hidden", 25, -1), Column("b", 25, -1)))
VALUES = ResultValues([("x", None), ('ü"\n', "hidden")])


def test_rows_of_a_command_are_lines():
    found = given(JsonAnswer(scrub), COLUMNS, VALUES, Complete("SHOW"), Notice("NOTICE", "hidden", hint="h"))
    assert [json.loads(line) for line in found.splitlines()] == [
        {"columns": [{"name": "a *", "type": "VARCHAR"}, {"name": "b", "type": "VARCHAR"}]},
        ["x", None],
        ['ü"\n', "*"],
        {"tag": "SHOW"},
        {"notice": {"severity": "NOTICE", "sqlstate": "00000", "message": "*", "hint": "h"}},
    ]


def test_rows_of_a_command_are_an_arrow_stream():
    with pa.ipc.open_stream(given(ArrowAnswer(scrub), COLUMNS, VALUES, Complete("SHOW"))) as reader:
        assert reader.read_all().to_pydict() == {"a *": ["x", 'ü"\n'], "b": [None, "*"]}


def test_a_command_without_rows_is_an_arrow_stream_without_columns():
    for output in (Complete("CREATE DATABASE"), EmptyStatement()):
        with pa.ipc.open_stream(given(ArrowAnswer(scrub), output)) as reader:
            assert (reader.schema.names, list(reader)) == ([], [])


def test_names_of_columns_that_a_worker_gives_are_scrubbed():
    head = b'{"columns": [{"name": "hidden", "type": "INTEGER"}]}\n'
    assert given(JsonAnswer(scrub), ResultRows(head, 0)) == head.replace(b"hidden", b"*")


class Intake:
    wanted = True
    failure = None

    def fail(self, error):
        self.failure = error


@pytest.mark.parametrize("kind", [JsonAnswer, ArrowAnswer])
@pytest.mark.parametrize("output", [ResultRows(b"D\0\0\0\6\0\0", 1), CopyIn(1, Intake())])  # type: ignore[arg-type]
def test_what_cannot_be_given_is_refused(kind, output):
    with pytest.raises(NotSupported):
        given(kind(scrub), output)
    if isinstance(output, CopyIn):
        assert isinstance(output.intake.failure, NotSupported)
