"""``fairlead shell``: logs in, then prompts a person or runs a script."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fairlead.cli.shell.connecting import connect, missing
from fairlead.cli.shell.printing import CsvPrinter, JsonPrinter, TablePrinter
from fairlead.cli.shell.progress import Notices
from fairlead.cli.shell.running import Lost, Runner
from fairlead.cli.shell.shell import Leave, Shell
from fairlead.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from rich.console import Console

    from fairlead.cli.shell.printing import Printer

WELL: Final = 0
STATEMENT_FAILED: Final = 1
NO_CONNECTION: Final = 2


def run(
    conninfo: str,
    *,
    out: Console,
    err: Console,
    commands: Sequence[str] = (),
    file: str | None = None,
    style: Literal["table", "csv", "json"] = "table",
) -> int:
    """Run the shell and return the exit code.

    Args:
        conninfo: where to, as for psql.
        out: takes the results.
        err: takes everything else.
        commands: to run instead of prompting.
        file: a script to run instead of prompting; ``-`` = standard input.
        style: how results are written.

    Raises:
        ConfigurationError, InvalidPassword, StoreUnreachable: it cannot begin.
    """
    scripts = [*commands, *([_script(file)] if file else [])]
    if not scripts and not sys.stdin.isatty():
        scripts = [sys.stdin.read()]
    with closing(connect(conninfo)) as connection:
        notices = Notices(err)
        shell = Shell(Runner(connection, notices.take), _printer(style, out), notices, err)
        try:
            if scripts:
                return WELL if all(shell.run(script, stop=True) for script in scripts) else STATEMENT_FAILED
            _prompt(shell)
        except Leave:
            return WELL
        except Lost as error:
            shell.complain(error)
            return NO_CONNECTION
    return WELL


def _prompt(shell: Shell) -> None:
    try:
        from fairlead.cli.shell.prompt import Prompt  # noqa: PLC0415  # prompt-toolkit comes with an extra
    except ImportError as error:
        raise missing(error) from None
    shell.err.print("Statements end with ;  -  \\? lists the commands, \\q leaves.", highlight=False, markup=False)
    Prompt(shell).run()


def _printer(style: Literal["table", "csv", "json"], out: Console) -> Printer:
    if style == "csv":
        return CsvPrinter(sys.stdout)
    if style == "json":
        return JsonPrinter(sys.stdout)
    terminal = out.is_terminal
    return TablePrinter(out, expanded="auto" if terminal else "off", limit=1000 if terminal else 0)


def _script(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ConfigurationError(message) from None
