"""The ``fairlead`` command."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

import fairlead
from fairlead.errors import ConfigurationError, FairleadError

if TYPE_CHECKING:
    from collections.abc import Iterator

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

_out = Console()
_err = Console(stderr=True)

Data = Annotated[Path | None, typer.Option("--data", help="Data directory (FAIRLEAD_DATA).", show_default=False)]


@app.command()
def serve(
    data: Data = None,
    pg: Annotated[
        str | None,
        typer.Option("--pg", metavar="HOST:PORT", help="Where PostgreSQL clients connect; port 0 = any free."),
    ] = None,
    mysql: Annotated[
        str | None, typer.Option("--mysql", metavar="HOST:PORT", help="Where MySQL clients connect; off if not given.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="JSON file that is written when clients can connect.")
    ] = None,
) -> None:
    """Run the gateway until Ctrl-C."""
    from fairlead.server.run import serve as run  # noqa: PLC0415  # keeps --help quick

    with _reported():
        asyncio.run(run(_settings(data, pg, mysql), ready_file=ready_file, welcome=_welcome, announce=_announce))


@app.command()
def doctor(data: Data = None) -> None:
    """Say which protective layers this machine allows, and what to do about those that it does not."""
    from fairlead.engine.engine import probe_layers  # noqa: PLC0415  # keeps --help quick

    table = Table("layer", "active", "why")
    with _reported():
        layers = asyncio.run(probe_layers(_settings(data, None)))
    for layer in layers:
        table.add_row(layer.name, "[green]yes[/]" if layer.active else "[yellow]no[/]", layer.reason)
    _out.print(table)
    if not all(layer.active for layer in layers):
        raise typer.Exit(1)


@audit.command("verify")
def audit_verify(data: Data = None) -> None:
    """Walk the hash chain of the ledger and say whether it holds."""
    from fairlead.access.ledger import Ledger  # noqa: PLC0415  # keeps --help quick
    from fairlead.catalog.catalog import FILE_NAME, Catalog  # noqa: PLC0415  # keeps --help quick
    from fairlead.vault.vault import Vault  # noqa: PLC0415  # keeps --help quick

    with _reported():
        directory = _settings(data, None).data
        if not (directory / FILE_NAME).is_file():
            message = f"there is no catalog in {directory}"
            raise ConfigurationError(message, hint="name it with --data")
        catalog = Catalog.open(directory)
        found = Ledger(catalog, Vault.open(directory, in_use=True).ledger_key()).verify()
        catalog.close()
    if found.ok:
        _out.print(f"[green]the ledger holds[/]: {found.rows} rows")
        return
    _err.print(f"[red]the ledger is broken[/] at row {found.first_bad}: {found.reason}")
    raise typer.Exit(1)


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


def _settings(data: Path | None, pg: str | None, mysql: str | None = None) -> Settings:
    from fairlead.config import load  # noqa: PLC0415  # keeps --help quick

    return load(**{name: value for name, value in (("data", data), ("pg", pg), ("mysql", mysql)) if value is not None})


@contextmanager
def _reported() -> Iterator[None]:
    """Show an expected error as two lines instead of a traceback, and exit with 2."""
    try:
        yield
    except FairleadError as error:
        _err.print(f"[red]error[/]: {escape(error.message)}")
        if error.hint:
            _err.print(f"[dim]hint: {escape(error.hint)}[/]")
        raise typer.Exit(2) from None


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


def _announce(host: str, port: int) -> None:
    _err.print(f'connect with  [bold]psql "postgresql://fairlead@{host}:{port}/main?sslmode=require"[/]')


if __name__ == "__main__":
    app()
