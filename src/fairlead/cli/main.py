"""The ``fairlead`` command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.panel import Panel
from rich.table import Table

import fairlead
from fairlead.cli.output import err as _err
from fairlead.cli.output import out as _out
from fairlead.cli.output import reported as _reported
from fairlead.errors import ConfigurationError

if TYPE_CHECKING:
    from fairlead.config import Settings
    from fairlead.server.gateway import Gateway

app = typer.Typer(
    name="fairlead",
    help="A SQL gateway in which a credential is named once and never seen again.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
audit = typer.Typer(help="The ledger of every change and every use of a credential.", no_args_is_help=True)
app.add_typer(audit, name="audit")
user = typer.Typer(help="Users, past a stopped gateway.", no_args_is_help=True)
app.add_typer(user, name="user")

Data = Annotated[Path | None, typer.Option("--data", help="Data directory (FAIRLEAD_DATA).", show_default=False)]


@app.command()
def serve(
    data: Data = None,
    pg: Annotated[
        str | None,
        typer.Option("--pg", metavar="HOST:PORT", help="Where PostgreSQL clients connect; port 0 = any free."),
    ] = None,
    client_ca: Annotated[
        Path | None, typer.Option("--client-ca", help="PEM: users have to show a TLS certificate of this authority.")
    ] = None,
    flight: Annotated[
        str | None,
        typer.Option(
            "--flight", metavar="HOST:PORT", help="Where Arrow Flight SQL clients (ADBC) connect; off if not given."
        ),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option("--http", metavar="HOST:PORT", help="Where HTTP clients connect; port 0 = any free."),
    ] = None,
    no_http: Annotated[bool, typer.Option("--no-http", help="Do not listen for HTTP clients.")] = False,
    mysql: Annotated[
        str | None, typer.Option("--mysql", metavar="HOST:PORT", help="Where MySQL clients connect; off if not given.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="JSON file that is written when clients can connect.")
    ] = None,
    log_format: Annotated[
        Literal["auto", "json", "text"] | None,
        typer.Option("--log-format", help="Lines of JSON or text; auto: text on a terminal.", show_default=False),
    ] = None,
) -> None:
    """Run the gateway until Ctrl-C."""
    from fairlead.server.run import serve as run  # noqa: PLC0415  # keeps --help quick

    with _reported():
        listeners = {"http": "" if no_http else http, "flight": flight, "mysql": mysql}
        settings = _settings(data, pg, tls_client_ca=client_ca, **listeners)
        settings.log_format = log_format or settings.log_format
        asyncio.run(run(settings, ready_file=ready_file, welcome=_welcome, announce=_announce))


@app.command()
def doctor(
    data: Data = None,
    pg: Annotated[
        str | None, typer.Option("--pg", metavar="HOST:PORT", help="As for serve, when it is given there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list instead of a table.")] = False,
) -> None:
    """Look at the data directory and the machine, and say what to do; exit code 1 where something fails."""
    from fairlead.cli import doctor as command  # noqa: PLC0415  # keeps --help quick

    with _reported():
        healthy = command.run(_settings(data, pg), as_json=as_json)
    if not healthy:
        raise typer.Exit(1)


@audit.command("verify")
def audit_verify(data: Data = None) -> None:
    """Walk the hash chain of the ledger and say whether it holds."""
    from fairlead.access.ledger import Ledger  # noqa: PLC0415  # keeps --help quick
    from fairlead.catalog.catalog import FILE_NAME, Catalog  # noqa: PLC0415  # keeps --help quick
    from fairlead.catalog.inspecting import inspect  # noqa: PLC0415  # keeps --help quick
    from fairlead.vault.vault import Vault  # noqa: PLC0415  # keeps --help quick

    with _reported():
        directory = _settings(data, None).data
        if not (directory / FILE_NAME).is_file():
            message = f"there is no catalog in {directory}"
            raise ConfigurationError(message, hint="name it with --data")
        if inspect(directory / FILE_NAME).is_older:
            message = f"the catalog in {directory} is of an older Fairlead"
            raise ConfigurationError(message, hint="start the gateway once: it migrates the catalog, after a backup")
        catalog = Catalog.open(directory)
        found = Ledger(catalog, Vault.open(directory, in_use=True).ledger_key()).verify()
        catalog.close()
    if found.ok:
        _out.print(f"[green]the ledger holds[/]: {found.rows} rows")
        return
    _err.print(f"[red]the ledger is broken[/] at row {found.first_bad}: {found.reason}")
    raise typer.Exit(1)


@user.command("reset-admin")
def user_reset_admin(
    data: Data = None,
    name: Annotated[str, typer.Option("--user", help="Which administrator.")] = "fairlead",
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the password, one line, instead of making one up.")
    ] = False,
) -> None:
    """Give an administrator a new password while the gateway is stopped; without --stdin it is shown once."""
    from fairlead.cli.accounts import reset_admin  # noqa: PLC0415  # keeps --help quick

    with _reported():
        reset_admin(_settings(data, None).data, name, from_stdin=stdin)


@app.command()
def passwd(
    conninfo: Annotated[str, typer.Argument(help="Where to log in, as for psql.", show_default=False)] = "",
    name: Annotated[str | None, typer.Option("--user", help="Whose password; your own if not given.")] = None,
) -> None:
    """Change a password: it is asked for, and only its verifier is sent."""
    from fairlead.cli.accounts import change_password  # noqa: PLC0415  # keeps --help quick

    with _reported():
        change_password(conninfo, name)


@app.command()
def shell(
    conninfo: Annotated[str, typer.Argument(help="Where to log in, as for psql.", show_default=False)] = "",
    command: Annotated[
        list[str] | None, typer.Option("--command", "-c", help="Run this instead of prompting; may be repeated.")
    ] = None,
    file: Annotated[str | None, typer.Option("--file", "-f", help="Run this script; - = standard input.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Results as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Results as JSON, one object a line.")] = False,
) -> None:
    """A client for those without psql: completion, highlighting, progress; exit code 1 where a statement fails."""
    from fairlead.cli.shell.entry import run  # noqa: PLC0415  # keeps --help quick

    with _reported():
        if csv and json:
            message = "the output is CSV or JSON, not both"
            raise ConfigurationError(message)
        style: Literal["table", "csv", "json"] = "csv" if csv else "json" if json else "table"
        code = run(conninfo, out=_out, err=_err, commands=command or (), file=file, style=style)
    raise typer.Exit(code)


@app.command()
def gc(
    data: Data = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove what crashes have left in the data directory of a stopped gateway."""
    from fairlead.catalog.catalog import FILE_NAME  # noqa: PLC0415  # keeps --help quick
    from fairlead.catalog.datadir import lock_data_directory  # noqa: PLC0415  # keeps --help quick
    from fairlead.engine.lake.orphans import collect  # noqa: PLC0415  # keeps --help quick

    with _reported():
        directory = _settings(data, None).data
        if not (directory / FILE_NAME).is_file():
            message = f"there is no catalog in {directory}"
            raise ConfigurationError(message, hint="name it with --data")
        try:
            with lock_data_directory(directory):
                found = collect(directory.resolve(), dry_run=dry_run)
        except ConfigurationError as error:
            hint = "while the gateway runs, VACUUM does this for one database; or stop it first"
            raise ConfigurationError(error.message, hint=hint) from None
    table = Table("what", "where", "files", "bytes", "note")
    for left in found:
        if left.files or left.note:
            table.add_row(left.what, left.where, str(left.files), str(left.size), left.note or "")
    if table.row_count:
        _out.print(table)
    verb = "can be" if dry_run else "were"
    _out.print(f"{sum(left.size for left in found)} bytes in {sum(left.files for left in found)} files {verb} freed")


@app.command()
def version() -> None:
    """Print the version."""
    _out.print(f"fairlead {fairlead.__version__}")


def _settings(data: Path | None, pg: str | None, **flags: object) -> Settings:
    from fairlead.config import load  # noqa: PLC0415  # keeps --help quick

    given = {"data": data, "pg": pg, **flags}
    return load(**{name: value for name, value in given.items() if value is not None})


def _welcome(gateway: Gateway) -> None:
    """Show a generated password, before anything else can fail."""
    if gateway.generated_password is not None:
        _err.print(
            Panel(
                f"user      fairlead\npassword  {gateway.generated_password.reveal()}",
                title="first start: the superuser (shown once)",
                expand=False,
            )
        )


def _announce(host: str, port: int, http: str | None) -> None:
    _err.print(f'connect with  [bold]psql "postgresql://fairlead@{host}:{port}/main?sslmode=require"[/]')
    if http is not None:
        _err.print(f"HTTP on       {http}  (docs/http.md)")


if __name__ == "__main__":
    app()
