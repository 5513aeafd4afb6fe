"""Passwords from the command line: an administrator's, past a stopped gateway, and one's own, as a client.

A password is never an argument: those can be read by everybody on the machine, and stay in the shell's history.
"""

from __future__ import annotations

import pwd
import sys
from contextlib import closing
from os import geteuid
from typing import TYPE_CHECKING

import typer
from rich.panel import Panel

from fairlead.cli.output import err
from fairlead.errors import ConfigurationError
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from pathlib import Path


def reset_admin(data: Path, user: str, *, from_stdin: bool) -> None:
    """Give an administrator a new password; the gateway must not run.

    Args:
        data: the data directory.
        user: whose password.
        from_stdin: read it as one line from standard input instead of making one up.

    Raises:
        ConfigurationError: there is no catalog, or a gateway runs.
        UndefinedObject, InvalidParameter: there is no such administrator; the password is empty.
    """
    from fairlead.access.bootstrap import reset_superuser  # noqa: PLC0415  # keeps --help quick
    from fairlead.access.ledger import Ledger  # noqa: PLC0415
    from fairlead.catalog.catalog import FILE_NAME, Catalog  # noqa: PLC0415
    from fairlead.catalog.datadir import lock_data_directory  # noqa: PLC0415
    from fairlead.vault.vault import Vault  # noqa: PLC0415

    if not (data / FILE_NAME).is_file():
        message = f"there is no catalog in {data}"
        raise ConfigurationError(message, hint="name it with --data")
    with lock_data_directory(data):
        given = _line() if from_stdin else None
        catalog = Catalog.open(data)
        try:
            ledger = Ledger(catalog, Vault.open(data, in_use=True).ledger_key())
            chosen = reset_superuser(catalog, ledger, user, given, by=_operator())
        finally:
            catalog.close()
    if given is None:
        _show(user, chosen)
    else:
        err.print(f"the password of {user} was changed")


def change_password(conninfo: str, user: str | None) -> None:
    """Change a password over the wire; only its verifier travels, so no log and no history can hold it.

    Args:
        conninfo: where to, as for psql.
        user: whose; None = the one who logs in.

    Raises:
        ConfigurationError: psycopg is not installed.
        InvalidParameter: the two typed passwords differ, or are empty.
    """
    from fairlead.cli.shell.connecting import connect  # noqa: PLC0415  # psycopg comes with an extra
    from fairlead.cli.shell.password import change_password as change  # noqa: PLC0415

    with closing(connect(conninfo, application="fairlead passwd")) as connection:
        whose = user or connection.info.user
        change(connection, whose)
    err.print(f"the password of {whose} was changed", highlight=False, markup=False)


def _line() -> Sensitive:
    return Sensitive(sys.stdin.readline().rstrip("\r\n"))


def _operator() -> str:
    try:
        return pwd.getpwuid(geteuid()).pw_name
    except KeyError:
        return f"uid {geteuid()}"


def _show(user: str, password: Sensitive) -> None:
    """Show a generated password; standard output, so that it can be piped into a password store."""
    if sys.stdout.isatty():
        err.print(Panel(f"user      {user}\npassword  {password.reveal()}", title="shown once", expand=False))
    else:
        typer.echo(password.reveal())
