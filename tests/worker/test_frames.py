"""Two threads on one socket: progress never splits a frame, and never waits."""

from __future__ import annotations

import json
import socket
import threading

from fairlead.worker import frames


def received(handle):
    """Read frames until the end."""
    reader, found = frames.Frames(handle), []
    try:
        while True:
            found.append(reader.receive())
    except EOFError:
        return found


def test_progress_from_another_thread_comes_between_whole_frames():
    near, far = socket.socketpair()
    block = memoryview(b"D" * 100_000)
    with far:
        channel = frames.Frames(near)
        over = threading.Event()

        def report():
            while not over.is_set():
                channel.offer(frames.PROGRESS, frames.encoded({"fraction": 0.5}))

        def send():
            with near:
                for _ in range(200):
                    channel.rows(block, 7, more=True)
                    channel.rows(block[:10], 1, more=True)
                over.set()
                reporting.join()
                channel.send(frames.DONE, frames.encoded({"tag": "SELECT 1600"}))

        reporting, sending = threading.Thread(target=report), threading.Thread(target=send)
        reporting.start()
        sending.start()
        found = received(far)
        sending.join()
    sizes = [len(body) for kind, body in found if kind == frames.ROWS]
    assert sizes == [100_004, 14] * 200
    assert {json.loads(body)["fraction"] for kind, body in found if kind == frames.PROGRESS} <= {0.5}
    assert found[-1] == (frames.DONE, b'{"tag": "SELECT 1600"}')
    assert {kind for kind, _ in found} <= {frames.ROWS, frames.PROGRESS, frames.DONE}


def test_progress_is_left_out_when_nobody_reads():
    near, far = socket.socketpair()
    with near, far:
        channel = frames.Frames(near)
        near.setblocking(False)
        try:
            while True:
                near.send(b"x" * 65536)
        except BlockingIOError:
            near.setblocking(True)
        channel.offer(frames.PROGRESS, b"{}")  # returns


def test_progress_for_a_gateway_that_has_gone_is_left_out():
    near, far = socket.socketpair()
    far.close()
    with near:
        frames.Frames(near).offer(frames.PROGRESS, b"{}")
