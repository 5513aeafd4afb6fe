"""Blocks of a hostile worker: what is passed on is a whole batch of the announced schema, all else is refused."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import WorkerLost
from fairlead.server.flight import batches

BATCH = pa.record_batch(
    {
        "i": pa.array([1, None, 3], pa.int64()),
        "s": ["a", "bc", None],
        "l": [[1], None, [2, 3]],
        "r": [{"x": 1}, None, {"x": None}],
        "d": pa.array([1, 2, None], pa.decimal128(10, 2)),
    }
)
BLOCK = BATCH.serialize().to_pybytes()


def test_a_batch_is_read() -> None:
    assert batches.schema_of(BATCH.schema.serialize().to_pybytes()) == BATCH.schema
    assert batches.batch_of(BLOCK, BATCH.schema) == BATCH


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_compressed_batch_is_refused(codec: str) -> None:
    large = pa.record_batch({"i": pa.array([0] * 100_000, pa.int64())})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, large.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_batch(large)
    messages = pa.ipc.MessageReader.open_stream(sink.getvalue())
    messages.read_next_message()
    block = messages.read_next_message().serialize().to_pybytes()
    assert pa.ipc.read_record_batch(pa.py_buffer(block), large.schema) == large
    with pytest.raises(WorkerLost):
        batches.batch_of(block, large.schema)


@pytest.mark.parametrize(
    "data",
    [b"", b"x" * 100, BLOCK[:50], BLOCK[:-8], BATCH.schema.serialize().to_pybytes()],
    ids=["nothing", "noise", "head", "cut", "schema"],
)
def test_what_is_no_batch_is_refused(data: bytes) -> None:
    with pytest.raises(WorkerLost):
        batches.batch_of(data, BATCH.schema)


def test_a_batch_of_another_schema_is_refused() -> None:
    with pytest.raises(WorkerLost):
        batches.batch_of(pa.record_batch({"i": [1]}).serialize().to_pybytes(), BATCH.schema)


def test_offsets_beyond_the_values_are_refused() -> None:
    texts = pa.record_batch({"s": ["abc", "def"]})
    block = texts.serialize().to_pybytes()
    offsets = b"\x00\x00\x00\x00\x03\x00\x00\x00\x06\x00\x00\x00"
    assert block.count(offsets) == 1
    with pytest.raises(WorkerLost):
        batches.batch_of(block.replace(offsets, b"\x00\x00\x00\x00\x03\x00\x00\x00\xff\xff\x00\x00"), texts.schema)


def test_text_that_is_not_utf8_is_refused() -> None:
    texts = pa.record_batch({"s": ["abcdef"]})
    with pytest.raises(WorkerLost):
        batches.batch_of(texts.serialize().to_pybytes().replace(b"abcdef", b"\xff\xfe\xfd\xfc\xfb\xfa"), texts.schema)


@given(st.lists(st.tuples(st.integers(0, len(BLOCK) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_changed_block_is_a_sound_batch_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(BLOCK)
    for at, value in changes:
        data[at] = value
    try:
        batch = batches.batch_of(bytes(data), BATCH.schema)
    except WorkerLost:
        return
    batch.validate(full=True)
    assert batch.schema == BATCH.schema
    assert batch.nbytes <= len(data)
    assert len(batch.serialize()) <= 4 * len(data)


def test_rows_of_a_command_become_texts() -> None:
    schema = batches.texts(["a", "b"])
    assert batches.of_texts(schema, [("x", None), ("y", "z")]).to_pylist() == [
        {"a": "x", "b": None},
        {"a": "y", "b": "z"},
    ]
    assert batches.of_texts(schema, []).num_rows == 0
