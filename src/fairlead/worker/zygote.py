"""The fork server: imports everything, opens nothing, and forks one locked worker per request.

It is a program of its own with an empty environment. It enters an empty network namespace, makes the only listening
socket there (the gateway gets it and answers), gives up its privileges, checks the signatures of the extensions, and
then only forks and reaps. No user text ever reaches this process.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

from fairlead.worker import kernel, layers

if TYPE_CHECKING:
    from fairlead.worker.extensions import Extension

_MAX_PACKET: Final = 64 * 1024
_BACKLOG: Final = 256
_SOCKETS_PER_WORKER: Final = 2
_MALLOC_ARENAS: Final = 2
_ARROW_ALLOCATOR: Final = "ARROW_DEFAULT_MEMORY_POOL"


def main(descriptor: int) -> None:
    """Start with what the gateway sends on the control socket, then serve it until it closes.

    Args:
        descriptor: of the inherited control socket (Unix, SEQPACKET).
    """
    control = socket.socket(fileno=descriptor)
    settings = json.loads(control.recv(_MAX_PACKET))
    layers.prefer_to_be_killed()
    try:
        # First of all: a user namespace can only be entered while there is one thread.
        namespace = layers.enter_namespace(settings["layers"]["namespace"])
        listener = _listen() if namespace.active else None
        layers.give_up_privileges()
        extensions = _prepare(settings)
    except Exception as error:  # noqa: BLE001  # whatever it is, the gateway has to say it
        control.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        return
    report = {
        "namespace": namespace.as_json(),
        "extensions": {name: extension.as_json() for name, extension in extensions.items()},
        "port": listener.getsockname()[1] if listener else None,
        "threads": threading.active_count(),
    }
    socket.send_fds(control, [json.dumps(report).encode()], [listener.fileno()] if listener else [])
    if listener:
        listener.close()
    _serve(control, settings, extensions)


def _listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(_BACKLOG)
    return listener


def _prepare(settings: dict[str, Any]) -> dict[str, Extension]:
    """Import and run once everything that a worker needs, so that nothing is read from disk behind Landlock."""
    # Arrow's own allocator would map a gigabyte ahead, which counts against the limit of the address space. The choice
    # is read while Arrow is imported.
    os.environ[_ARROW_ALLOCATOR] = "system"
    kernel.limit_malloc_arenas(_MALLOC_ARENAS)
    import pytz  # noqa: F401, PLC0415  # DuckDB asks for it when it hands out a TIMESTAMP WITH TIME ZONE

    from fairlead.worker import duck, extensions, warmup  # noqa: PLC0415  # after the namespace: they start threads

    del os.environ[_ARROW_ALLOCATOR]
    checked = extensions.check_signatures(settings["extensions"], duck.configuration(unsigned=False))
    warmup.run(checked)
    # Collected now and never again touched: the pages stay shared with the workers.
    gc.collect()
    gc.freeze()
    return checked


def _serve(control: socket.socket, settings: dict[str, Any], extensions: dict[str, Extension]) -> None:
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if wake_read in ready:
            os.read(wake_read, _MAX_PACKET)
            _reap()
        if control.fileno() in ready:
            request, descriptors, _, _ = socket.recv_fds(control, _MAX_PACKET, _SOCKETS_PER_WORKER)
            if not request:
                return
            _fork(control, descriptors, settings, extensions)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _fork(
    control: socket.socket, descriptors: list[int], settings: dict[str, Any], extensions: dict[str, Extension]
) -> None:
    try:
        process = os.fork()
    except OSError as error:
        control.send(json.dumps({"error": f"fork: {error.strerror}"}).encode())
        return
    if process == 0:
        _become_worker(descriptors, settings, extensions)
    handle = os.pidfd_open(process)
    socket.send_fds(control, [json.dumps({"pid": process}).encode()], [handle])
    for descriptor in (handle, *descriptors):
        os.close(descriptor)


def _become_worker(descriptors: list[int], settings: dict[str, Any], extensions: dict[str, Extension]) -> None:
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        layers.seal_process()
        data, control = _keep_only(descriptors)
        from fairlead.worker.serve import work  # noqa: PLC0415  # imported long ago, by the warm-up

        work(data, control, settings, extensions)
    except (EOFError, OSError):  # the gateway has gone, or this worker could not be made: either way it sees the end
        status = 0
    finally:
        os._exit(status)


def _keep_only(descriptors: list[int]) -> tuple[socket.socket, socket.socket]:
    """Close every inherited descriptor but standard input and output (``/dev/null``) and the worker's own sockets."""
    first = 3
    moved = [os.dup2(os.dup(descriptor), 100 + number) for number, descriptor in enumerate(descriptors)]
    kept = [os.dup2(descriptor, first + number, inheritable=False) for number, descriptor in enumerate(moved)]
    os.closerange(first + len(kept), os.sysconf("SC_OPEN_MAX"))
    data, control = (socket.socket(fileno=descriptor) for descriptor in kept)
    return data, control
