"""The codec, held against the protobuf runtime, and against bytes that are no message."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolViolation
from fairlead.server.flight import protobuf

Field = descriptor_pb2.FieldDescriptorProto


def _message_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="sample.proto", package="sample", syntax="proto3")
    message = file.message_type.add(name="Sample")
    for number, name, kind, label in (
        (1, "text", Field.TYPE_STRING, Field.LABEL_OPTIONAL),
        (2, "raw", Field.TYPE_BYTES, Field.LABEL_OPTIONAL),
        (3, "small", Field.TYPE_INT32, Field.LABEL_OPTIONAL),
        (4, "large", Field.TYPE_INT64, Field.LABEL_OPTIONAL),
        (5, "yes", Field.TYPE_BOOL, Field.LABEL_OPTIONAL),
        (6, "numbers", Field.TYPE_UINT32, Field.LABEL_REPEATED),
        (7, "texts", Field.TYPE_STRING, Field.LABEL_REPEATED),
        (8, "fixed", Field.TYPE_FIXED64, Field.LABEL_OPTIONAL),
        (1000, "far", Field.TYPE_STRING, Field.LABEL_OPTIONAL),
    ):
        message.field.add(number=number, name=name, type=kind, label=label)
    inner = message.field.add(number=9, name="inner", type=Field.TYPE_MESSAGE, label=Field.LABEL_REPEATED)
    inner.type_name = ".sample.Sample"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sample.Sample"))


SAMPLE = _message_class()
SAMPLES = st.fixed_dictionaries(
    {
        "text": st.text(),
        "raw": st.binary(),
        "small": st.integers(-(2**31), 2**31 - 1),
        "large": st.integers(-(2**63), 2**63 - 1),
        "yes": st.booleans(),
        "numbers": st.lists(st.integers(0, 2**32 - 1)),
        "texts": st.lists(st.text()),
        "fixed": st.integers(0, 2**64 - 1),
        "far": st.text(),
    }
)


@given(SAMPLES)
def test_what_the_runtime_writes_is_read(values: dict[str, Any]) -> None:
    fields = protobuf.read(SAMPLE(**values, inner=[SAMPLE(text="in")]).SerializeToString())
    assert fields.text(1) == values["text"]
    assert fields.octets(2) == values["raw"]
    assert (fields.integer(3), fields.integer(4)) == (values["small"], values["large"])
    assert fields.boolean(5) == values["yes"]
    assert fields.integers(6) == values["numbers"]
    assert fields.texts(7) == values["texts"]
    assert fields.fixed64(8) == values["fixed"]
    assert fields.text(1000) == values["far"]
    assert [one.text(1) for one in fields.messages(9)] == ["in"]


@given(SAMPLES)
def test_what_is_written_the_runtime_reads(values: dict[str, Any]) -> None:
    written = b"".join(
        (
            protobuf.octets(1, values["text"]),
            protobuf.octets(2, values["raw"]),
            protobuf.integer(3, values["small"]),
            protobuf.integer(4, values["large"]),
            protobuf.integer(5, int(values["yes"])),
            *(protobuf.octets(7, text) for text in values["texts"]),
            protobuf.fixed64(8, values["fixed"]),
            protobuf.octets(1000, values["far"]),
        )
    )
    read = SAMPLE.FromString(written)
    assert {name: getattr(read, name) for name in values if name not in ("numbers", "texts")} == {
        name: value for name, value in values.items() if name not in ("numbers", "texts")
    }
    assert list(read.texts) == values["texts"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\x05abc",  # longer than the message
        b"\x80" * 11,  # a number that does not end
        b"\x08",  # a number that is missing
        b"\x00\x01",  # field 0
        b"\x0b",  # a group
        b"\x09\x01",  # eight bytes, cut off
        b"\x08\x01" * 10_001,  # too many fields
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        protobuf.read(data)


@pytest.mark.parametrize(
    ("data", "ask"),
    [
        (b"\x08\x01", lambda f: f.octets(1)),
        (b"\x0a\x01\xff", lambda f: f.text(1)),
        (b"\x0a\x01a", lambda f: f.integer(1)),
        (b"\x08\x01", lambda f: f.messages(1)),
        (b"\x09\x01\x00\x00\x00\x00\x00\x00\x00", lambda f: f.integers(1)),
    ],
)
def test_a_field_of_another_type_is_refused(data: bytes, ask: Any) -> None:
    with pytest.raises(ProtocolViolation):
        ask(protobuf.read(data))
