"""Random streams of messages: the core never fails otherwise than by the protocol, a listener never hangs or tells.

``tools/fuzz_wire.py`` runs the same streams for as long as one likes.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.pgwire import raw, streams
from tests.server.pgwire.double import CANARY
from tests.services.process import wait_until


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_the_core_takes_any_stream(seed, count):
    assert streams.feed_core(random.Random(seed), count) > 0


@pytest.mark.parametrize("seed", range(6))
def test_a_listener_survives_any_stream_and_tells_no_secret(make_server, seed):
    server = make_server()
    chance = random.Random(seed)
    for _ in range(12):
        with server.raw() as client:
            if chance.random() < 0.8:
                client.login()
            streams.send_some(chance, client, 30)
            assert CANARY.encode() not in streams.rest_of(client)
    with server.raw() as client:  # and it still serves
        client.login()
        client.send(raw.query("SELECT 1"))
        assert client.tags()[-1] == "Z"
    wait_until(lambda: not server.server._clients)
