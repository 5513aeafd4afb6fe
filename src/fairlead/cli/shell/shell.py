"""The shell without its prompt: runs lines, whether a person typed them or a script holds them."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from fairlead.cli.shell import names
from fairlead.cli.shell.commands import COMMANDS, Command, statement_of, understood
from fairlead.cli.shell.copying import copy
from fairlead.cli.shell.password import change_password
from fairlead.cli.shell.printing import TablePrinter, shown
from fairlead.cli.shell.reading import cut
from fairlead.cli.shell.running import Lost, Runner, StatementFailed
from fairlead.errors import FairleadError, InvalidParameter, QueryCanceled

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from fairlead.cli.shell.printing import Printer
    from fairlead.cli.shell.progress import Notices
    from fairlead.context import Dialect

_DEFINING: Final = ("CREATE", "ALTER", "DROP", "USE", "GRANT", "REVOKE")
_SECONDS: Final = 60.0


class Leave(Exception):  # no error: the way out
    """The user wants to leave."""


@dataclass(slots=True)
class Shell:
    """One connection with what its user has set.

    Args:
        runner: runs statements.
        printer: shows results.
        notices: shows notices and progress.
        err: where errors go.
    """

    runner: Runner
    printer: Printer
    notices: Notices
    err: Console
    timing: bool = False
    dialect: Dialect = "native"
    known: names.Names = field(default_factory=names.Names)
    stale: bool = True  # the names may have changed

    def run(self, text: str, *, stop: bool) -> bool:
        """Run everything in a text; return whether all went well.

        Args:
            text: statements, or one command with a backslash a line.
            stop: at the first error.

        Raises:
            Leave: it says so.
            Lost: the connection has ended.
        """
        well = True
        for one in _lines(text, self.dialect):
            well &= self._one(one)
            if stop and not well:
                return False
        return well

    def _one(self, text: str) -> bool:
        began = time.monotonic()
        try:
            if text.startswith("\\"):
                self._command(*understood(text))
            else:
                self._statement(text)
        except Lost:
            raise
        except FairleadError as error:
            self.complain(error)
            return False
        except KeyboardInterrupt:
            self.notices.end()
            self.complain(QueryCanceled("cancelled"))
            return False
        finally:
            self.notices.end()
        if self.timing:
            self.err.print(Text(f"time: {_duration(time.monotonic() - began)}", style="dim"))
        return True

    def _statement(self, text: str) -> None:
        results = self.runner.run(text)
        with closing(results):  # type: ignore[type-var]  # a generator, whose end is the statement's
            tag = self.printer.show(results)
        self.stale |= tag.startswith(_DEFINING)
        if tag.split(" ")[0] in ("SET", "RESET", "DISCARD", "ROLLBACK"):
            self.dialect = names.value_of(self.runner, "dialect") or "native"  # type: ignore[assignment]

    def complain(self, error: FairleadError) -> None:
        """Show an error: what, where in the statement, and what to do."""
        state = getattr(error, "state", "") or error.sqlstate
        self.err.print(Text.assemble(("ERROR", "bold red"), f" {state}: {shown(error.message)}"))
        text = error.text if isinstance(error, StatementFailed) else ""
        if error.position is not None and text:
            for line in _pointed(text, error.position):
                self.err.print(Text(line), soft_wrap=True)
        for name, value in (("detail", error.detail), ("hint", error.hint), ("context", error.context)):
            if value:
                self.err.print(Text(f"{name}: {shown(value)}", style="dim"))

    # --- commands with a backslash -----------------------------------------------------------------------------------

    def _command(self, command: Command, argument: str) -> None:
        statement = statement_of(command, argument)
        if statement is not None:
            self._statement(statement)
            return
        doing: dict[str, Callable[[str], None]] = {
            "\\c": lambda _: self._conninfo(),
            "\\conninfo": lambda _: self._conninfo(),
            "\\x": self._expand,
            "\\timing": self._time,
            "\\limit": self._limit,
            "\\pager": self._page,
            "\\copy": self._copy,
            "\\i": self._include,
            "\\password": self._password,
            "\\?": lambda _: self._help(),
        }
        if command.name == "\\q":
            raise Leave
        doing[command.name](argument)

    def _tables(self) -> TablePrinter:
        if not isinstance(self.printer, TablePrinter):
            raise InvalidParameter("this is for tables, and the output is CSV or JSON")
        return self.printer

    def _expand(self, argument: str) -> None:
        tables = self._tables()
        wanted = argument or ("off" if tables.expanded == "on" else "on")
        if wanted not in ("on", "off", "auto"):
            raise InvalidParameter(f"{wanted} is not on, off or auto")
        tables.expanded = wanted  # type: ignore[assignment]  # one of the three
        self.err.print(f"a line for each value: {wanted}", highlight=False)

    def _time(self, argument: str) -> None:
        self.timing = _switched(argument, now=self.timing)
        self.err.print(f"timing is {'on' if self.timing else 'off'}", highlight=False)

    def _page(self, argument: str) -> None:
        tables = self._tables()
        tables.paged = _switched(argument, now=tables.paged)
        self.err.print(f"the pager is {'on' if tables.paged else 'off'}", highlight=False)

    def _limit(self, argument: str) -> None:
        tables = self._tables()
        if argument:
            if not argument.isdecimal():
                raise InvalidParameter(f"{argument} is not a number of rows")
            tables.limit = int(argument)
        self.err.print(f"{tables.limit or 'all'} rows of a result are shown", highlight=False)

    def _conninfo(self) -> None:
        info = self.runner.connection.info
        at = names.value_of(self.runner, "server_version") or info.parameter_status("server_version") or ""
        tls = "with TLS" if self.runner.connection.pgconn.ssl_in_use else "without TLS"
        self.err.print(f"user {info.user} at {info.host}:{info.port}, {tls}; {at}", highlight=False, markup=False)

    def _include(self, argument: str) -> None:
        if not self.run(_read(argument), stop=True):
            raise FairleadError(f"{argument} was not run to its end")

    def _copy(self, argument: str) -> None:
        draw = self.notices.draw if self.err.is_terminal else None
        tag = copy(self.runner.connection, argument, draw)
        self.notices.end()
        self.err.print(tag, highlight=False, markup=False)

    def _password(self, argument: str) -> None:
        user = argument or self.runner.connection.info.user
        change_password(self.runner.connection, user)
        self.err.print(f"the password of {user} was changed", highlight=False, markup=False)

    def _help(self) -> None:
        table = Table(box=None, show_header=False)
        table.add_column(no_wrap=True)
        for command in COMMANDS:
            table.add_row(Text(f"{command.name} {command.argument}", style="bold"), command.help)
        self.err.print(table)


def _lines(text: str, dialect: Dialect) -> list[str]:
    """Cut a text: a line that begins with a backslash, outside a statement, is a command."""
    pieces: list[str] = []
    pending = ""
    for line in text.splitlines(keepends=True):
        if not pending.strip() and line.lstrip().startswith("\\"):
            pieces.append(line.strip())
            continue
        done = cut(pending + line, dialect) if ";" in line else None
        if done is None:
            pending += line
        else:
            pieces += done.statements
            pending = done.rest + "\n" if done.rest else ""
    last = cut(pending, dialect)
    return [*pieces, *last.statements, *([last.rest] if last.rest else [])]


def _pointed(text: str, position: int) -> list[str]:
    """Return the line of a statement at a position (from 1), and a caret below it."""
    before = text[: position - 1]
    number, start = before.count("\n") + 1, before.rfind("\n") + 1
    line = shown(text[start:].partition("\n")[0])
    head = f"LINE {number}: "
    return [head + line, " " * (len(head) + len(shown(text[start : position - 1]))) + "^"]


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _switched(argument: str, *, now: bool) -> bool:
    if argument not in ("", "on", "off"):
        raise InvalidParameter(f"{argument} is not on or off")
    return argument == "on" if argument else not now


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{int(seconds // _SECONDS)}:{seconds % _SECONDS:06.3f} min"
