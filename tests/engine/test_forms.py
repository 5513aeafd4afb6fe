"""A real worker sends the form that it is asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fairlead.engine.api import ARROW, JSON_LINES, Rows
from fairlead.errors import EngineError
from tests.engine.running import events, run, started, tag
from tests.worker.encoded import table

if TYPE_CHECKING:
    from pathlib import Path

_QUERY = "SELECT i, i::HUGEINT AS h, i % 2 = 0 AS even, ['s3://al/' || i] AS texts FROM range(20000) r(i) ORDER BY i"


def test_a_worker_sends_an_arrow_stream(tmp_path: Path):
    async def body():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            found = await events(session, _QUERY, encoding=ARROW, aliases={"al": "real"})
            read = table([(event.data, event.count) for event in found if isinstance(event, Rows)])
            assert read.column("i").to_pylist() == list(range(20_000))
            assert read.column("texts")[19_999].as_py() == ["s3://real/19999"]
            assert tag(found) == "SELECT 20000"

    run(body())


def test_a_worker_sends_lines_of_json(tmp_path: Path):
    async def body():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            found = await events(session, _QUERY, encoding=JSON_LINES, aliases={"al": "real"})
            lines = b"".join(event.data for event in found if isinstance(event, Rows)).splitlines()
            assert json.loads(lines[0])["columns"][1] == {"name": "h", "type": "HUGEINT"}
            assert json.loads(lines[-1]) == [19_999, "19999", False, ["s3://real/19999"]]
            assert len(lines) == 20_001
            assert tag(found) == "SELECT 20000"

    run(body())


@pytest.mark.parametrize("encoding", [ARROW, JSON_LINES])
def test_an_error_in_the_middle_is_the_statements_own(encoding, tmp_path: Path):
    async def body():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            query = "SELECT i::HUGEINT, CASE WHEN i = 9000 THEN 'x' ELSE '1' END::INTEGER FROM range(20000) r(i)"
            with pytest.raises(EngineError, match="Could not convert string 'x'") as caught:
                await events(session, query, encoding=encoding)
            assert caught.value.sqlstate == "22P02"
            assert tag(await events(session, "SELECT 1", encoding=encoding)) == "SELECT 1"

    run(body())


def test_a_number_that_no_arrow_type_holds_has_its_own_sqlstate(tmp_path: Path):
    async def body():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            with pytest.raises(EngineError) as caught:
                await events(session, "SELECT 170141183460469231731687303715884105727::HUGEINT", encoding=ARROW)
            assert (caught.value.sqlstate, caught.value.position) == ("22003", None)

    run(body())
