"""A worker is hostile: a block that is not of its form does not reach a client."""

from __future__ import annotations

import json
import struct

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.engine import channel
from fairlead.engine.api import Rows
from fairlead.engine.blocks import CHECKS, NotABlock
from tests.worker.encoded import blocks

SCHEMA = blocks("SELECT 1 AS a WHERE false", "arrow")[0][0]
BATCH = blocks("SELECT i AS a, i::VARCHAR AS b FROM range(3) r(i)", "arrow")[1][0]
HEADER = b'{"columns": [{"name": "a", "type": "INTEGER"}]}\n'


@pytest.mark.parametrize(
    ("form", "data", "count"),
    [
        ("arrow", SCHEMA, 0),
        ("arrow", BATCH, 3),
        ("jsonl", HEADER, 0),
        ("jsonl", b'[1]\n[{"a": 1}]\n', 2),
    ],
)
def test_what_a_worker_sends_passes(form, data, count):
    CHECKS[form](data, count)
    assert channel.read_rows(struct.pack("!I", count) + data, form) == Rows(data, count)


@pytest.mark.parametrize(
    ("form", "data", "count"),
    [
        ("arrow", b"", 0),
        ("arrow", SCHEMA, 1),
        ("arrow", BATCH, 0),
        ("arrow", BATCH, 4),
        ("arrow", SCHEMA + SCHEMA, 0),
        ("arrow", BATCH + b"\0" * 8, 3),
        ("arrow", BATCH[:-8], 3),
        ("arrow", b"\xff\xff\xff\xff\0\0\0\0", 0),
        ("arrow", b"\xff\xff\xff\xff\x08\0\0\0" + b"\xff" * 8, 0),
        ("arrow", b"D\0\0\0\6\0\0", 1),
        ("jsonl", b"", 0),
        ("jsonl", HEADER, 1),
        ("jsonl", HEADER + HEADER, 0),
        ("jsonl", b"[1]\n", 0),
        ("jsonl", b"[1]\n[2]\n", 1),
        ("jsonl", b"[1]\n[2]", 2),
        ("jsonl", b'[1]\n{"error": {}}\n', 2),
        ("jsonl", b'{"tag": "SELECT 1"}\n', 1),
        ("jsonl", b'{"tag": "SELECT 1"}\n', 0),
        ("jsonl", b'{"columns": [], "error": {}}\n', 0),
        ("jsonl", b'{"columns": [{"name": "a", "type": 5}]}\n', 0),
        ("jsonl", b'{"columns": [{"name": "a", "type": "x", "y": 1}]}\n', 0),
        ("jsonl", b'{"columns": ' + b"[" * 100_000 + b"\n", 0),
    ],
)
def test_what_is_not_of_the_form_is_refused(form, data, count):
    with pytest.raises(NotABlock):
        CHECKS[form](data, count)
    with pytest.raises(channel.Malformed):
        channel.read_rows(struct.pack("!I", count) + data, form)


@given(st.sampled_from(sorted(CHECKS)), st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_random_bytes_are_refused(form, data, count):
    with pytest.raises(NotABlock):
        CHECKS[form](data, count)


@given(st.sampled_from([SCHEMA, BATCH]), st.data())
def test_a_damaged_message_is_refused_or_still_one_of_that_many_rows(message, data):
    at = data.draw(st.integers(0, len(message) - 1))
    damaged = bytearray(message)
    damaged[at] = data.draw(st.integers(0, 255))
    count = 0 if message == SCHEMA else 3
    try:
        CHECKS["arrow"](bytes(damaged), count)
    except NotABlock:
        return
    _, length = struct.unpack_from("<II", damaged)
    assert length <= len(damaged) - 8


def test_the_check_reads_what_arrow_itself_reads():
    for rows in (1, 7, 5000):
        batch = pa.record_batch({"v": list(range(rows)), "s": [json.dumps(n) for n in range(rows)]})
        CHECKS["arrow"](batch.serialize().to_pybytes(), rows)
        with pytest.raises(NotABlock):
            CHECKS["arrow"](batch.serialize().to_pybytes(), rows + 1)
