from __future__ import annotations

import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.egress.http1 import BadHttp, PeerGone, Stream, parse_request, parse_response


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_refused(data):
    for parse in (parse_request, parse_response):
        with suppress(BadHttp):
            parse(data)


@given(st.text(alphabet="GET /acme:\r\n 01HTP.-cotenlgh", max_size=80))
def test_what_looks_like_a_head_is_a_head_or_refused(text):
    try:
        head = parse_request(text.encode())
    except BadHttp:
        return
    assert head.target.startswith("/")
    assert all("\r" not in value and "\n" not in value for value in head.headers.values())


@pytest.mark.parametrize(
    ("line", "status"), [("HTTP/1.1 200 OK", 200), ("HTTP/1.1 404", 404), ("HTTP/1.0 503 a b c", 503)]
)
def test_a_status_line_is_read(line, status):
    assert parse_response(line.encode()).status == status


@pytest.mark.parametrize("line", ["HTTP/2 200", "HTTP/1.1 99 x", "HTTP/1.1 2000", "ICY 200 OK", ""])
def test_another_status_line_is_refused(line):
    with pytest.raises(BadHttp):
        parse_response(line.encode())


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.settimeout(2)
    yield Stream(ours), theirs
    ours.close()
    theirs.close()


@given(body=st.binary(max_size=2000), cuts=st.lists(st.integers(1, 400), max_size=6))
def test_a_body_in_chunks_is_put_together_and_what_follows_is_kept(body, cuts):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(2)
        stream, left = Stream(ours), body
        for cut in cuts:
            piece, left = left[:cut], left[cut:]
            if piece:
                theirs.sendall(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece))
        if left:
            theirs.sendall(b"%X\r\n%s\r\n" % (len(left), left))
        theirs.sendall(b"0\r\ntrailer: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n")
        assert stream.read_chunked(10_000) == body
        assert parse_response(stream.read_head()).status == 204


@pytest.mark.parametrize("data", [b"x\r\n", b"-1\r\n", b"5\r\nhelloXX\r\n", b"ffffffff\r\n", b"\r\n"])
def test_chunks_that_are_none_are_refused(pair, data):
    stream, theirs = pair
    theirs.sendall(data)
    with pytest.raises(BadHttp):
        stream.read_chunked(1000)


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\n", b"5\r\nhel"])
def test_a_peer_that_closes_in_the_middle_is_told(pair, data):
    stream, theirs = pair
    theirs.sendall(data)
    theirs.close()
    with pytest.raises(PeerGone):
        stream.read_head() if data.startswith(b"HTTP") else stream.read_chunked(100)
