"""A worker is hostile: what its gateway makes of every kind of bytes."""

from __future__ import annotations

import asyncio
import json
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.engine import channel, process
from fairlead.worker import control, frames

NAMES = [
    *("BOOT", "EXECUTE", "DESCRIBE", "SCRIPT", "READY", "COLUMNS", "ROWS", "DONE", "DESCRIBED", "RESULTS", "PROGRESS"),
    *("ERROR", "MAX_BLOCK", "MAX_JSON"),
]


def test_both_ends_speak_the_same_format():
    assert [getattr(channel, name) for name in NAMES] == [getattr(frames, name) for name in NAMES]
    assert channel.HEADER.format == frames.HEADER.format
    assert channel.ROW_COUNT.format == frames.ROW_COUNT.format
    assert (process.CANCEL, process.STOP) == (control.CANCEL, control.STOP)


def received(data: bytes):
    """Read frames until the end, or until something is refused."""

    async def read():
        near, far = socket.socketpair()
        with near, far:
            reader = channel.Channel(near)
            far.sendall(data)
            far.shutdown(socket.SHUT_WR)
            found = []
            try:
                while True:
                    found.append(await reader.frame())
            except (EOFError, channel.Malformed) as end:
                return found, type(end)

    return asyncio.run(read())


def frame(kind: bytes, body: bytes) -> bytes:
    return struct.pack("!cI", kind, len(body)) + body


@given(st.lists(st.tuples(st.sampled_from([b"C", b"R", b"D"]), st.binary(max_size=300)), max_size=6))
def test_frames_are_read_as_they_were_sent(sent):
    found, end = received(b"".join(frame(*one) for one in sent))
    assert (found, end) == (sent, EOFError)


def test_a_frame_larger_than_the_read_ahead_is_whole():
    body = bytes(range(256)) * 500
    assert received(frame(b"R", body) + frame(b"D", b"{}"))[0] == [(b"R", body), (b"D", b"{}")]


@pytest.mark.parametrize("header", [b"D\xff\xff\xff\xff", b"R\xff\xff\xff\xff", b"C" + struct.pack("!I", 2**25)])
def test_a_length_that_no_worker_sends_is_refused_before_anything_is_allocated(header):
    assert received(header) == ([], channel.Malformed)


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_worker_that_ends_within_a_frame_has_ended(cut):
    assert received(frame(b"D", b"abcd")[:cut]) == ([], EOFError)


READERS = [
    *(channel.read_columns, channel.read_rows, channel.read_done, channel.read_described),
    *(channel.read_results, channel.read_progress),
]


@given(st.binary(max_size=200))
def test_hostile_bytes_are_malformed(body):
    for reader in READERS:
        with pytest.raises(channel.Malformed):
            reader(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["columns", "tag"]), inner),
    max_leaves=8,
)


@given(json_values)
def test_hostile_json_is_malformed_or_within_bounds(value):
    body = json.dumps(value).encode()
    try:
        columns = channel.read_columns(body).columns
    except channel.Malformed:
        return
    assert all(0 <= column.type_oid < 2**32 and -(2**15) <= column.type_size < 2**15 for column in columns)


@pytest.mark.parametrize(
    ("reader", "body"),
    [
        (channel.read_columns, {"columns": [["a", 2**32, 4, -1]]}),
        (channel.read_columns, {"columns": [["a", True, 4, -1]]}),
        (channel.read_columns, {"columns": [["a", 23, 2**15, -1]]}),
        (channel.read_columns, {"columns": [["a", 23, 4]]}),
        (channel.read_columns, {"columns": [["a" * 20_000, 23, 4, -1]]}),
        (channel.read_columns, {"columns": [["a", 23, 4, -1]] * 30_000}),
        (channel.read_done, {"tag": "SELECT 1\0Z"}),
        (channel.read_done, {"tag": "x" * 100}),
        (channel.read_done, {"tag": 5}),
        (channel.read_done, {"tag": "SELECT 1", "changes": 1}),
        (channel.read_done, {"tag": "SELECT 1", "changes": None}),
        (channel.read_progress, {"fraction": -0.1}),
        (channel.read_progress, {"fraction": 1.1}),
        (channel.read_progress, {"fraction": float("nan")}),
        (channel.read_progress, {"fraction": "1"}),
        (channel.read_progress, {}),
        (channel.read_results, {}),
        (channel.read_results, {"results": {}}),
        (channel.read_results, {"results": [1]}),
        (channel.read_results, {"results": [[1]]}),
        (channel.read_results, {"results": [[[{}]]]}),
        (channel.read_results, {"results": [[[[[{"a": 1}]]]]]}),
        (channel.read_described, {"parameters": [-1], "columns": []}),
        (channel.read_described, {"parameters": "no", "columns": []}),
    ],
)
def test_numbers_and_names_are_bounded(reader, body):
    with pytest.raises(channel.Malformed):
        reader(json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        struct.pack("!I", 1),
        struct.pack("!I", 0) + b"D\0\0\0\6\0\0",
        struct.pack("!I", 2) + b"D\0\0\0\6\0\0",
        struct.pack("!I", 1) + b"E\0\0\0\6\0\0",
    ],
)
def test_blocks_of_rows_have_a_possible_count_and_the_right_kind(body):
    with pytest.raises(channel.Malformed):
        channel.read_rows(body)


def test_a_nul_in_a_name_is_left_out():
    (column,) = channel.read_columns(json.dumps({"columns": [["a\0b", 23, 4, -1]]}).encode()).columns
    assert column.name == "ab"


def test_the_rows_of_a_script_are_values_and_lists_of_them():
    results = [[], [[]], [[None, True, 1, 1.5, "a", [1, ["b"]]], [2]]]
    assert channel.read_results(json.dumps({"results": results}).encode()).statements == results


def test_lists_in_lists_without_end_are_malformed():
    with pytest.raises(channel.Malformed):
        channel.read_results(b'{"results": [[' + b"[" * 900 + b"]" * 900 + b"]]}")


@given(json_values)
def test_hostile_json_is_malformed_or_the_rows_of_a_script(value):
    body = json.dumps({"results": value}).encode()
    try:
        found = channel.read_results(body).statements
    except channel.Malformed:
        return
    assert all(isinstance(row, list) for rows in found for row in rows)


@pytest.mark.parametrize("changes", [True, False])
def test_the_end_of_a_statement_says_whether_a_lake_may_have_changed(changes):
    done = channel.read_done(json.dumps({"tag": "INSERT 0 1", "changes": changes}).encode())
    assert (done.tag, done.changes) == ("INSERT 0 1", changes)
    assert not channel.read_done(b'{"tag": ""}').changes
