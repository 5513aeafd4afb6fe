"""A server process of a test: started on a free port, waited for until it answers, ended with everything it started.

Nothing here sleeps for a guessed time: a server is ready when a probe of its own says so, and a server that ends
instead, or is not ready at the deadline, fails with the tail of its log.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_POLL = 0.02  # seconds between two probes
_TAIL = 4000  # characters of a log that an error shows


class ServerFailed(AssertionError):
    """A server ended, or did not answer in time; the message holds the tail of its log."""


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port of ``host`` that is free now."""
    with closing(socket.socket()) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> Callable[[], bool]:
    """Return a probe that is true once ``url`` gives any HTTP answer below 500."""

    def probe() -> bool:
        try:
            with urlopen(url, timeout=2):
                return True
        except HTTPError as error:
            return error.code < 500  # a refusal is an answer too
        except (URLError, OSError):
            return False

    return probe


def wait_until(condition: Callable[[], bool], *, timeout: float = 10) -> None:
    """Return as soon as ``condition()`` is true.

    Raises:
        AssertionError: it was not within ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not so within {timeout} s"
        time.sleep(_POLL)


class Process:
    """One server in a process group of its own.

    Args:
        command: the program and its arguments.
        log: the file that takes its output; appended to, so that it survives a restart.
        env: its whole environment; nothing is inherited.
        cwd: its working directory, by default this process's.
    """

    def __init__(self, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path | None = None) -> None:
        self._command = list(command)
        self._cwd = cwd
        self._log = log
        self._env = dict(env)
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: list[int] = []  # of every start: what a killed server left behind is ended too

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """Everything that the server has printed."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self, ready: Callable[[], bool], *, timeout: float = 30) -> None:
        """Start the server and return when ``ready()`` is true.

        Raises:
            ServerFailed: it ended, or was not ready within ``timeout`` seconds.
        """
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
            )
        self._groups.append(self._process.pid)
        deadline = time.monotonic() + timeout
        while not ready():
            if self._process.poll() is not None:
                raise ServerFailed(f"{self._command[0]} ended with {self._process.returncode}:\n{self.log[-_TAIL:]}")
            if time.monotonic() > deadline:
                self.end_group()
                raise ServerFailed(f"{self._command[0]} was not ready after {timeout} s:\n{self.log[-_TAIL:]}")
            time.sleep(_POLL)

    def stop(self, *, timeout: float = 10) -> int:
        """Ask the server to end (SIGTERM), end what is left of its group, and return its exit code."""
        return self._signal(signal.SIGTERM, timeout)

    def kill(self) -> int:
        """Kill only the server itself (SIGKILL), as a crash would; what it had started is on its own."""
        return self._signal(signal.SIGKILL, 10, group=False)

    def end_group(self) -> None:
        """Kill everything that the server started, in any of its runs, and that is still in its process group."""
        while self._groups:
            with suppress(ProcessLookupError):
                os.killpg(self._groups.pop(), signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _signal(self, number: int, timeout: float, *, group: bool = True) -> int:
        assert self._process is not None, "not started"
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ServerFailed(f"{self._command[0]} did not end in {timeout} s:\n{self.log[-_TAIL:]}") from None
        finally:
            if group:
                self.end_group()
