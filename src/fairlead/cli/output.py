"""What the command line writes to, and how it shows an expected error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from collections.abc import Iterator

out = Console()
err = Console(stderr=True)


@contextmanager
def reported() -> Iterator[None]:
    """Show an expected error as two lines instead of a traceback, and exit with 2."""
    try:
        yield
    except FairleadError as error:
        err.print(f"[red]error[/]: {escape(error.message)}")
        if error.hint:
            err.print(f"[dim]hint: {escape(error.hint)}[/]")
        raise typer.Exit(2) from None
