"""COPY TO STDOUT: an ordinary query of the session whose rows the worker writes in the format that was asked for."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from fairlead.engine.api import CopyFormat, Encoding
from fairlead.errors import FairleadError, InvalidParameter
from fairlead.session_types import Complete, CopyOut, CopyRows, Output, ResultColumns, ResultRows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fairlead.commands.data import DataRunner
    from fairlead.engine.api import Column
    from fairlead.lang import ast


async def copy_out(
    data: DataRunner, copy: ast.CopyToStdout, *, in_block: bool, time_limit: float
) -> AsyncGenerator[Output, None]:
    """Run one statement.

    Args:
        data: runs the session's data statements.
        copy: what to run.
        in_block: whether a transaction block is open.
        time_limit: seconds, 0 for none.

    Raises:
        FairleadError: of the query, at any time; InvalidParameter: FORCE_QUOTE names no column of it.
    """
    encoding = Encoding(
        form="copy",
        copy=CopyFormat(
            format=copy.format,
            delimiter=copy.delimiter,
            null=copy.null,
            header=copy.header,
            quote=copy.quote,
            escape=copy.escape,
            force_quote=copy.force_quote,
        ),
    )
    running = data.run(copy.query, (), in_block=in_block, time_limit=time_limit, encoding=encoding)
    try:
        async with aclosing(running) as outputs:
            async for output in outputs:
                match output:
                    case ResultColumns(columns=columns):
                        _check_quoted(copy, columns)
                        yield CopyOut(len(columns), binary=copy.format == "binary")
                    case ResultRows(data=rows):
                        yield CopyRows(rows)
                    case Complete(tag=tag):
                        yield Complete(f"COPY {tag.rpartition(' ')[2]}")
                    case _:
                        yield output
    except FairleadError as error:
        if copy.table:
            error.position = None  # in a text that the user has not written
        raise


def _check_quoted(copy: ast.CopyToStdout, columns: tuple[Column, ...]) -> None:
    names = {column.name.casefold() for column in columns}
    unknown = next((name for name in copy.force_quote if name != "*" and name.casefold() not in names), None)
    if unknown is not None:
        message = f'FORCE_QUOTE column "{unknown}" not referenced by COPY'
        raise InvalidParameter(message)
