"""CREATE TABLE ... AS with sums: what the engine makes HUGEINT, files of tables can only keep as a decimal number.

Parquet has no integers of 128 bits: the engine would write a DOUBLE and lose digits without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands.visible import query_of
from fairlead.engine.api import Rows
from fairlead.engine.exporting import WIDE, describe_sql, described
from fairlead.engine.lake.names import quote
from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.context import Context
    from fairlead.engine.api import Parameter
    from fairlead.engine.planner import AliasBook, Plan, Planner
    from fairlead.engine.session import EngineSession
    from fairlead.lang import ast


async def exact_plan(  # what planning takes
    worker: EngineSession,
    planner: Planner,
    statement: ast.DataStatement,
    context: Context,
    book: AliasBook,
    parameters: Sequence[Parameter],
) -> Plan | None:
    """Return the plan that makes decimals of wide integers, None where there are none.

    A query that has a fault is left to run as it is, so that its error is told in the user's own text.
    """
    try:
        query = planner.plan(query_of(statement.text[statement.query_at :]), context, book)
        events = worker.execute(describe_sql(query.sql), parameters, aliases=book.real_urls())
        told = [event.data async for event in events if isinstance(event, Rows)]
    except FairleadError:
        return None
    wide = [(name, kind) for name, kind in described(told) if WIDE.search(kind)]
    if not wide:
        return None
    casts = ", ".join(f"CAST({quote(n)} AS {WIDE.sub('DECIMAL(38,0)', k)}) AS {quote(n)}" for n, k in wide)
    at, end = statement.query_at, len(statement.text)
    cast = f"SELECT * REPLACE ({casts}) FROM (\n"  # noqa: S608  # quoted names and types of the engine
    around = {(at, at): cast, (end, end): "\n) AS fairlead_query"}
    return planner.plan(statement, context, book, around)
