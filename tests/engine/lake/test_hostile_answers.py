"""Whatever a worker answers, the outcome is a change set in form, or an error of ours."""

from __future__ import annotations

import asyncio
import copy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.engine.lake.applying import apply_script
from fairlead.engine.lake.collecting import collect
from fairlead.errors import FairleadError, WorkerLost
from tests.engine.lake.transacting import Private, RealLake

if TYPE_CHECKING:
    from collections.abc import Sequence

STATEMENTS = (
    "CREATE SCHEMA made",
    "CREATE TABLE made.n AS SELECT range AS i, [range] AS l FROM range(200)",
    "ALTER TABLE t RENAME TO t2",
    "ALTER TABLE t2 ADD COLUMN k INTEGER DEFAULT 3",
    "ALTER TABLE t2 SET PARTITIONED BY (a)",
    "COMMENT ON TABLE t2 IS 'x'",
    "COMMENT ON COLUMN t2.a IS 'x'",
    "UPDATE t2 SET k = 4 WHERE a < 3",
    "DELETE FROM t2 WHERE a > 200",
)
NASTY = [
    None,
    True,
    -1,
    0,
    2**63,
    1.5,
    "",
    "x\0y",
    "'; DROP TABLE t; --",
    '"',
    "../../etc/passwd",
    "struct",
    "x" * 70_000,
    [],
    {},
    [[]],
]


class Recorded:
    """An honest worker's answers, given again: as they were, or with one value changed."""

    def __init__(self, tmp: Path) -> None:
        lake = RealLake(tmp / "real")
        lake.run("CREATE TABLE t AS SELECT range::INTEGER AS a, 'x' AS v FROM range(300)")
        private = Private(lake, tmp / "worker")
        private.run("BEGIN", *STATEMENTS, "COMMIT")
        self.base, self.name = private.base, private.name
        self.tables = lake.tables()
        self.answers: list[list[list[list[Any]]]] = []

        async def script(statements: Sequence[str]) -> list[list[list[Any]]]:
            self.answers.append(await private.script(statements))
            return copy.deepcopy(self.answers[-1])

        asyncio.run(self._collect(script, private.spill, tmp / "inbox"))

    async def _collect(self, script: Any, spill: Path, inbox: Path) -> Any:
        return await collect(script, attached=self.name, base=self.base, database_id=1, out=spill / "out", inbox=inbox)

    def replay(self, at: tuple[int, ...], value: Any) -> None:
        """Give the answers with one value changed; what comes of it must be applicable in form, or refused."""
        answers = copy.deepcopy(self.answers)
        *path, last = at
        inner: Any = answers
        for step in path:
            inner = inner[step]
        inner[last] = value
        rest = iter(answers)

        async def script(statements: Sequence[str]) -> list[list[list[Any]]]:
            given = next(rest, [])
            return [*given, *([[0]] for _ in statements)][: len(statements)]

        with tempfile.TemporaryDirectory() as folder:
            spill = Path(folder) / "spill"
            spill.mkdir()
            try:
                changes = asyncio.run(self._collect(script, spill, Path(folder) / "inbox"))
                apply_script(changes, attached="lake", tables=self.tables)
            except FairleadError:
                return

    @property
    def places(self) -> list[tuple[int, int, int, int]]:
        return [
            (i, j, k, n)
            for i, answer in enumerate(self.answers)
            for j, rows in enumerate(answer)
            for k, row in enumerate(rows)
            for n, _ in enumerate(row)
        ]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return Recorded(tmp_path_factory.mktemp("recorded"))


def test_there_is_something_to_change(recorded: Recorded) -> None:
    assert len(recorded.places) > 100


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_answers_of_another_form_do_no_harm(recorded: Recorded, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(recorded.places))[: data.draw(st.integers(2, 3))]
    recorded.replay(place, data.draw(st.sampled_from([None, 7, "text", {}, [], [[]], [1, 2], [[1, 2]], [[1], [2]]])))


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_changed_value_does_no_harm(recorded: Recorded, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(recorded.places))
    recorded.replay(place, data.draw(st.sampled_from(NASTY) | st.integers() | st.text(max_size=20)))


@pytest.mark.parametrize(
    "answers",
    [
        [[[8, "altered_table:2"]], []],
        [[[7, "no such form"]], []],
        [[[7, 'created_table:"unfinished']], []],
        [[[7, None], [8, None]], []],
        [[["7", ""]], []],
        [[[7, "x" * 2**25]], []],
        [[[7, "inlined_insert:2"]], [["not a number"]]],
    ],
)
def test_a_false_account_of_the_transaction_is_refused(tmp_path: Path, answers: list[Any]) -> None:
    async def script(_: Sequence[str]) -> list[list[list[Any]]]:
        return answers

    with pytest.raises(FairleadError) as caught:
        asyncio.run(
            collect(script, attached="d", base=6, database_id=1, out=tmp_path / "spill" / "out", inbox=tmp_path / "in")
        )
    assert isinstance(caught.value, WorkerLost) or caught.value.sqlstate == "0A000"
