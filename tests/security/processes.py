"""What the kernel tells of the gateway's processes: command lines, environments and memory."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 64 * 1024 * 1024
_OVERLAP = 256  # longer than any needle
_MAP = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (r\S*) \S+ \S+ \S+ *(.*)")


def descendants(pid: int) -> list[int]:
    """Return the ids of every process below ``pid``: the zygote and its workers."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return sorted(found)


def command_line(pid: int) -> bytes:
    """Return the command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def environment(pid: int) -> bytes:
    """Return the environment that a process was started with."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def resident_mb(pid: int) -> float:
    """Return the anonymous resident memory of a process, MiB; 0 for one that has ended."""
    with suppress(OSError):
        found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def available_mb() -> float:
    """Return the memory that the machine has left, MiB."""
    found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    assert found is not None
    return int(found[1]) / 1024


def memory(pid: int) -> Iterator[bytes]:
    """Yield the readable memory of a process, in pieces that overlap; needs the right to trace it.

    Left out is what no process can have written: mappings of files (libraries) without the right to write.

    Raises:
        PermissionError: the kernel does not allow it.
    """
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as source:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = _MAP.match(line)
            if found is None or found[4] in {"[vvar]", "[vsyscall]", "[vvar_vclock]"}:
                continue
            if found[4].startswith("/") and "w" not in found[3]:
                continue
            at, end = int(found[1], 16), int(found[2], 16)
            while at < end:
                length = min(_CHUNK, end - at)
                try:
                    source.seek(at)
                    yield source.read(length)
                except OSError:  # a page that was never there, or went meanwhile
                    break
                at += length - (_OVERLAP if length == _CHUNK else 0)


def abort(pid: int) -> None:
    """End a process as ``abort()`` would."""
    os.kill(pid, signal.SIGABRT)


def segfault(pid: int) -> None:
    """End a process as a bad pointer would."""
    os.kill(pid, signal.SIGSEGV)


def kill(pid: int) -> None:
    """End a process as the kernel does when memory is short."""
    os.kill(pid, signal.SIGKILL)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used; 0 for one that has ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def request_cancel(address: tuple[str, int], pid: int, secret: int) -> None:
    """Send a CancelRequest of the PostgreSQL protocol (55.7) and wait until the gateway hangs up."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(struct.pack("!IIII", 16, 80877102, pid & 0xFFFFFFFF, secret))
        with suppress(OSError):
            connection.recv(1)
