"""Connections without a login: cut when they send too much, or stay too long; others are left alone."""

from __future__ import annotations

import fcntl
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fairlead.server.flight.connections import Connections, read_peer, received
from tests.services.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("ipv4:127.0.0.1:4711", ("127.0.0.1", 4711)),
        ("ipv6:%5B::1%5D:4711", ("::1", 4711)),
        ("ipv6:[::ffff:10.0.0.1]:1", ("10.0.0.1", 1)),
        ("unix:/tmp/x", None),
        ("", None),
        ("ipv4:127.0.0.1", None),
    ],
)
def test_a_peer_is_read(text: str, peer: tuple[str, int] | None) -> None:
    assert read_peer(text) == peer


@pytest.fixture
def pair() -> Iterator[tuple[int, socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, closing(listener.accept()[0]) as served:
            yield port, client, served


def is_cut(client: socket.socket) -> bool:
    client.settimeout(0.2)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_stranger_that_sends_too_much_is_cut(pair: tuple[int, socket.socket, socket.socket]) -> None:
    port, client, served = pair
    connections = Connections(port, limit=1000)
    client.sendall(b"x" * 900)
    wait_until(lambda: received(served) == 900)
    connections.look()
    assert not is_cut(client)
    client.sendall(b"x" * 200)
    wait_until(lambda: received(served) == 1100)
    connections.look()
    assert is_cut(client)


def test_who_has_shown_a_token_is_not_cut(pair: tuple[int, socket.socket, socket.socket]) -> None:
    port, client, served = pair
    connections = Connections(port, limit=10, seconds=0.0)
    connections.proved(f"ipv4:127.0.0.1:{client.getsockname()[1]}")
    client.sendall(b"x" * 100)
    wait_until(lambda: received(served) == 100)
    connections.look()
    assert not is_cut(client)
    connections.cut()
    assert is_cut(client)


def test_a_stranger_that_stays_is_cut(pair: tuple[int, socket.socket, socket.socket]) -> None:
    port, client, _ = pair
    now = [0.0]
    connections = Connections(port, seconds=10.0, now=lambda: now[0])
    connections.look()
    now[0] = 9.0
    connections.look()
    assert not is_cut(client)
    now[0] = 11.0
    connections.look()
    assert is_cut(client)


def test_looking_opens_nothing(pair: tuple[int, socket.socket, socket.socket]) -> None:
    connections = Connections(pair[0])
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        connections.look()
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_looking_leaves_the_locks_of_files_alone(
    pair: tuple[int, socket.socket, socket.socket], tmp_path: Path
) -> None:
    held = tmp_path / "held"
    probe = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    with held.open("w+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        Connections(pair[0]).look()
        tried = subprocess.run([sys.executable, "-c", probe, str(held)], capture_output=True, check=False)
        assert b"BlockingIOError" in tried.stderr
