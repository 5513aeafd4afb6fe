"""Blocks of MySQL packets, as a hostile worker could send them."""

from __future__ import annotations

import struct

import pytest

from fairlead.engine.blocks import NotABlock, mysql_packets, packets_of_row

FULL = 0xFFFFFF


def packet(size: int, number: int = 0) -> bytes:
    return struct.pack("<I", size | number << 24) + bytes(size)


@pytest.mark.parametrize(
    ("data", "count"),
    [(packet(1), 1), (packet(3) + packet(5), 2), (packet(FULL) + packet(0), 1), (packet(FULL) + packet(9, 1), 1)],
)
def test_whole_packets_are_a_block(data, count):
    mysql_packets(data, count)


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"", 0),
        (packet(1), 0),
        (packet(1), 2),
        (packet(5)[:-1], 1),
        (packet(3) + packet(3), 1),
        (packet(FULL), 1),
        (struct.pack("<I", 500) + bytes(20), 2),
        (b"\1", 1),
    ],
)
def test_what_is_cut_or_miscounted_is_none(data, count):
    with pytest.raises(NotABlock):
        mysql_packets(data, count)


def test_the_packets_of_one_row_are_counted():
    assert packets_of_row(packet(FULL) + packet(FULL) + packet(1)) == 3
