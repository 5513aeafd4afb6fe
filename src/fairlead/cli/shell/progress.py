"""Notices of the gateway: printed, and those about progress drawn as a bar while the statement runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from fairlead.cli.shell.printing import shown

if TYPE_CHECKING:
    from rich.console import Console

# What an export says every few seconds (commands/exports.py); how much is read is known for some sources only.
_PROGRESS: Final = re.compile(r"(exporting|copying): (?:(\d{1,3})% read, )?(.+?), \d+ s")


class Notices:
    """Shows notices on standard error.

    Args:
        console: of standard error.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def take(self, severity: str, message: str, hint: str | None) -> None:
        """Show one notice."""
        found = _PROGRESS.fullmatch(message)
        if found is not None and self._console.is_terminal:
            percent = None if found[2] is None else float(found[2])
            self.draw(found[1], found[3], percent)
            return
        colour = "yellow" if severity == "WARNING" else "dim"
        self._console.print(Text(f"{severity}: {shown(message)}", style=colour))
        if hint:
            self._console.print(Text(f"hint: {shown(hint)}", style="dim"))

    def draw(self, what: str, done: str, percent: float | None) -> None:
        """Draw the bar, or move it.

        Args:
            what: is being done.
            done: how much is.
            percent: of all; None where that is not known.
        """
        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"))
            self._bar = Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(what, total=None, done="")
        total = None if percent is None else 100.0
        self._bar.update(self._task, description=what, total=total, completed=percent or 0.0, done=escape(done))
        self._bar.refresh()

    def end(self) -> None:
        """Take the bar away: the statement has ended."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
