"""What is left of suspended portals."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.commands import spooling
from fairlead.commands.spooling import Spool
from fairlead.errors import EngineError
from fairlead.session_types import Complete, Notice, ResultRows

sizes = st.sampled_from([1, 1000, 300_000, 900_000])
outputs = st.lists(
    st.builds(lambda size, byte: ResultRows(bytes([byte]) * size, 1), sizes, st.integers(0, 255))
    | st.builds(Notice, st.just("NOTICE"), st.sampled_from("ab")),
    max_size=8,
)


@given(outputs, outputs)
def test_outputs_come_out_as_they_went_in(tmp_path_factory, first, second):
    async def body():
        spool = Spool(tmp_path_factory.getbasetemp(), 100)
        for output in first:
            await spool.put(output)
        half = [await spool.take() for _ in range(len(first) // 2)]
        for output in second:
            await spool.put(output)
        rest = []
        while (output := await spool.take()) is not None:
            rest.append(output)
        spool.close()
        return half + rest

    assert asyncio.run(body()) == first + second


def test_more_than_a_little_is_not_kept_in_memory_and_leaves_no_name(tmp_path):
    async def body():
        spool = Spool(tmp_path, 10)
        for number in range(4):
            await spool.put(ResultRows(bytes([number]) * spooling._IN_MEMORY, 1))
        kept = sum(len(one.data) for one in spool._outputs if isinstance(one, ResultRows))
        assert kept <= spooling._IN_MEMORY
        assert list(tmp_path.iterdir()) == []
        await spool.put(Complete("SELECT 4"))
        spool.close()
        assert await spool.take() is None

    asyncio.run(body())


@pytest.mark.parametrize(("writable", "limit"), [(True, 1), (False, 1000)])
def test_more_rows_than_may_be_spilled_are_refused(tmp_path, writable, limit):
    async def body():
        spool = Spool(tmp_path if writable else None, limit)
        block = ResultRows(bytes(spooling._IN_MEMORY), 1)
        for _ in range(2 if writable else 1):
            await spool.put(block)
        with pytest.raises(EngineError, match="suspended portal") as refused:
            await spool.put(block)
        assert refused.value.sqlstate == "53100"
        spool.close()

    asyncio.run(body())


def test_a_folder_that_is_gone_is_an_error_of_the_disk(tmp_path):
    async def body():
        spool = Spool(tmp_path / "gone", 10)
        with pytest.raises(EngineError) as refused:
            await spool.put(ResultRows(bytes(spooling._IN_MEMORY + 1), 1))
        assert refused.value.sqlstate == "53100"

    asyncio.run(body())
