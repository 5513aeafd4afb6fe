"""A person at a terminal: a program in a pseudo-terminal, what it shows, and what is typed into it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>]|[()][A-Z0-9])")


class Terminal:
    """A program that believes it talks to a person.

    Args:
        command: the program and its arguments.
        env: its whole environment.
        cwd: its working directory.
        columns: width of the terminal.
    """

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, columns: int = 120) -> None:
        self._near, far = pty.openpty()
        termios.tcsetwinsize(far, (40, columns))
        self._process = subprocess.Popen(
            list(command),
            stdin=far,
            stdout=far,
            stderr=far,
            env={"TERM": "xterm", **env},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509  # makes it the controlling terminal
        )
        os.close(far)
        self._raw = ""

    @property
    def shown(self) -> str:
        """Everything so far, without colours and the like."""
        return _ESCAPES.sub("", self._raw).replace("\r", "")

    def type(self, text: str) -> None:
        os.write(self._near, text.encode())

    def wait_for(self, words: str, *, since: int = 0, timeout: float = 60) -> str:
        """Return what is shown from ``since`` on as soon as ``words`` are in it."""
        deadline = time.monotonic() + timeout
        while words not in self.shown[since:]:
            assert time.monotonic() < deadline, f"{words!r} is not shown:\n{self.shown[since:]}"
            assert self._more(0.2), f"it ended without showing {words!r}:\n{self.shown[since:]}"
        return self.shown[since:]

    def ask(self, text: str, words: str) -> str:
        """Type a line and return what is shown from then on, up to and with ``words``."""
        at = len(self.shown)
        self.type(text)
        return self.wait_for(words, since=at)

    def end(self, *, timeout: float = 30) -> int:
        """Wait until the program ends by itself, and return its exit code."""
        deadline = time.monotonic() + timeout
        while self._more(0.2):
            assert time.monotonic() < deadline, f"it does not end:\n{self.shown}"
        return self._process.wait(timeout)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._near)

    def _more(self, seconds: float) -> bool:
        """Read what comes within some seconds; False at the end."""
        if select.select([self._near], [], [], seconds)[0]:
            with suppress(OSError):  # Linux's way to tell the end of a pseudo-terminal
                data = os.read(self._near, 65536)
                self._raw += data.decode(errors="replace")
                return bool(data)
            return False
        return True
