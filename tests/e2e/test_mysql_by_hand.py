"""MySQL's protocol spoken by hand with a real gateway: what no client's library would send, or not in this order."""

from __future__ import annotations

import socket
import ssl
import struct
from typing import TYPE_CHECKING, Self

import pytest

from tests.services.gateway import ADMINISTRATOR, Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway with a MySQL listener."""
    one = Gateway(tmp_path_factory.mktemp("gateway"), arguments=("--mysql", "127.0.0.1:0"))
    try:
        yield one.start()
    finally:
        one.end()


def ssl_request() -> bytes:
    capabilities = 1 << 9 | 1 << 11 | 1 << 15 | 1 << 19  # 4.1, TLS, secure connection, plug-ins
    return struct.pack("<IIB", capabilities, 2**24, 45) + bytes(23)


def hello(response: bytes, plugin: bytes = b"caching_sha2_password") -> bytes:
    user = ADMINISTRATOR.encode() + b"\0"
    return ssl_request() + user + bytes((len(response),)) + response + plugin + b"\0"


class ByHand:
    """A client that sends what it is told."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()

    def send(self, number: int, payload: bytes) -> None:
        self.stream.sendall(struct.pack("<I", len(payload) | number << 24) + payload)

    def receive(self) -> bytes:
        (header,) = struct.unpack("<I", self._exactly(4))
        self.number = (header >> 24) + 1
        return self._exactly(header & 0xFFFFFF)

    def command(self, payload: bytes) -> bytes:
        self.send(0, payload)
        return self.receive()

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.stream.recv(size - len(data))
            assert piece, "the gateway has closed the connection"
            data += piece
        return data


def by_hand(gateway: Gateway) -> ByHand:
    """Return a client that has asked for TLS and sent its handshake in the same breath."""
    stream = socket.create_connection(gateway.mysql, timeout=20)
    ByHand(stream).receive()
    stream.sendall(struct.pack("<I", 32 | 1 << 24) + ssl_request())
    context = ssl.create_default_context(cafile=str(gateway.certificate))
    return ByHand(context.wrap_socket(stream, server_hostname="127.0.0.1"))


@pytest.fixture
def hand(gateway: Gateway) -> Iterator[ByHand]:
    with by_hand(gateway) as client:
        client.send(2, hello(gateway.password.encode() + b"\0", b"mysql_clear_password"))
        assert client.receive()[0] == 0
        yield client


def test_commands_that_are_not_offered_are_refused_and_others_served(hand: ByHand):
    for command in (b"\x04t\0", b"\x11x\0", b"\x12", b"\x77"):
        assert hand.command(command)[0] == 0xFF
    assert hand.command(b"\x0e")[0] == 0
    assert hand.command(b"\x09").startswith(b"Session of ")
    assert hand.command(b"\x02main")[0] == 0
    assert hand.command(b"\x1f")[0] == 0
    assert hand.command(b"\x1b\0\0")[0] == 0xFE


def test_a_prepared_statement_takes_values_in_pieces_and_refuses_cursors(hand: ByHand):
    prepared = hand.command(b"\x16SELECT length(?)")
    number = prepared[1:5]
    assert struct.unpack("<HH", prepared[5:9]) == (1, 1)
    for _ in range(4):  # the parameter, the column, and an end behind each
        hand.receive()
    for piece in (b"abc", b"def"):
        hand.send(0, b"\x18" + number + b"\0\0" + piece)
    hand.send(0, b"\x17" + number + b"\0\1\0\0\0" + b"\0\1\xfe\0")
    packets = [hand.receive() for _ in range(5)]  # count, column, end, row, end
    assert packets[3] == b"\0\0" + struct.pack("<q", 6)
    assert hand.command(b"\x17" + number + b"\1\1\0\0\0" + b"\0\1\xfe\0\1a")[0] == 0xFF
    assert hand.command(b"\x1a" + number)[0] == 0
    hand.send(0, b"\x19" + number)
    assert hand.command(b"\x17" + number + b"\0\1\0\0\0")[0] == 0xFF


@pytest.mark.parametrize("plugin", [b"mysql_native_password", b"mysql_clear_password", b"caching_sha2_password"])
def test_a_client_may_begin_with_any_plugin(gateway: Gateway, plugin: bytes):
    """Spoken by hand, because libraries begin with the plug-in that the server names."""
    for password, first in ((gateway.password, 0), ("wrong", 0xFF)):
        with by_hand(gateway) as client:
            response = password.encode() + b"\0" if plugin == b"mysql_clear_password" else b"x" * 20
            client.send(2, hello(response, plugin))
            answer = client.receive()
            if answer[0] == 0xFE:
                assert answer.startswith(b"\xfecaching_sha2_password\0")
                client.send(4, b"y" * 32)
                answer = client.receive()
            if answer == b"\x01\x04":
                client.send(client.number, password.encode() + b"\0")
                answer = client.receive()
            assert answer[0] == first


def test_a_login_in_clear_behind_the_request_for_tls_is_not_listened_to(gateway: Gateway):
    before = gateway.connect().execute("SHOW LEDGER").fetchall()
    with socket.create_connection(gateway.mysql, timeout=10) as plain:
        client = ByHand(plain)
        client.receive()
        packet = struct.pack("<I", len(hello(b"x" * 20)) | 2 << 24) + hello(b"x" * 20)
        plain.sendall(struct.pack("<I", 32 | 1 << 24) + ssl_request() + packet)
        received = b""
        while data := plain.recv(1000):
            received += data
    assert b"caching_sha2" not in received
    after = gateway.connect().execute("SHOW LEDGER").fetchall()
    assert len(after) == len(before) + 1  # the login of the line before
