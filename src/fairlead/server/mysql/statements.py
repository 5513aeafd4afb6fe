"""One client's commands: each becomes calls of the session, and what the session gives becomes an answer."""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.engine.api import TEXT
from fairlead.errors import FairleadError, NotSupported, SqlSyntaxError
from fairlead.server.mysql import lexing, steps
from fairlead.server.mysql import messages as m
from fairlead.server.mysql import parameters as values_of
from fairlead.server.mysql.codes import MysqlError
from fairlead.server.mysql.columns import Described
from fairlead.server.mysql.connection import LONGEST_PAYLOAD
from fairlead.server.mysql.housekeeping import answer as answer_to
from fairlead.server.mysql.protocol import UTF8MB4, Capability, Type
from fairlead.server.mysql.results import Result
from fairlead.server.mysql.rewriting import rewritten
from fairlead.server.mysql.sessions import closing
from fairlead.session_types import ResultColumns, ResultValues

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from fairlead.context import Dialect
    from fairlead.engine.api import Column
    from fairlead.server.mysql.connection import Connection
    from fairlead.server.mysql.facts import Facts
    from fairlead.server.mysql.lexing import Token
    from fairlead.server.mysql.sessions import Transactions
    from fairlead.server.mysql.threads import Threads
    from fairlead.server.pgwire.wire import Wire
    from fairlead.session_types import Output

_EMPTY_QUERY: Final = (1065, "42000")
_TOO_MANY_STATEMENTS: Final = (1461, "42000")
_UNKNOWN_STATEMENT: Final = (1243, "HY000")
_MOST_PREPARED: Final = 1000
_ANY_TYPE: Final = Described(Type.VAR_STRING, UTF8MB4, 0)


@dataclass(slots=True)
class _Prepared:
    """A prepared statement.

    Args:
        text: of the client.
        tokens: of the statement.
        sql: for the session; None where the listener answers it.
        parameters: how many it has.
    """

    text: str
    tokens: Sequence[Token]
    sql: str | None
    parameters: int
    types: values_of.Types = ()
    long: dict[int, bytearray] = field(default_factory=dict)


class Statements:
    """Runs a client's commands in its session.

    Args:
        transactions: the session.
        core: the conversation.
        wire: to the client.
        facts: what is known of the session.
        threads: the sessions of the listener.
    """

    def __init__(
        self, transactions: Transactions, core: Connection, wire: Wire, facts: Facts, threads: Threads
    ) -> None:
        self._transactions = transactions
        self._session = transactions.session
        self._core = core
        self._wire = wire
        self._facts = facts
        self._threads = threads
        self._multi = core.has(Capability.MULTI_STATEMENTS)
        self._prepared: dict[int, _Prepared] = {}
        self._last = 0
        self._long_bytes = 0
        self._begun = time.monotonic()

    async def handle(self, event: m.Event) -> None:  # noqa: C901, PLR0912  # a table
        """Run one command and send its whole answer.

        Raises:
            FairleadError: what the client is to be told.
        """
        match event:
            case m.Query(text=text):
                await self._query(text)
            case m.Prepare(text=text):
                await self._prepare(text)
            case m.Execute():
                await self._execute(event)
            case m.LongData():
                self._keep(event)
            case m.CloseStatement(statement=number):
                await self._close(number)
            case m.ResetStatement(statement=number):
                self._forget_long(self._known(number))
                self._ok()
            case m.InitDb(database=database):
                await self._transactions.use(database)
                self._ok()
            case m.ResetConnection():
                await self._reset()
                self._ok()
            case m.SetOption(multi_statements=multi):
                self._multi = multi
                self._wire.send(self._core.ready(self._result_end()))
            case m.Ping():
                self._ok()
            case m.ProcessKill(number=number):
                await self._threads.kill(number, self._facts.user, connection=True)
                self._ok()
            case m.ProcessInfo():
                await self._query("SHOW PROCESSLIST")
            case m.Statistics():
                uptime = int(time.monotonic() - self._begun)
                self._wire.send(self._core.ready(self._core.answers.plain(f"Session of {uptime} seconds")))
            case m.Refused(error=error):
                raise error

    # --- text --------------------------------------------------------------------------------------------------------

    async def _query(self, text: str) -> None:
        statements = lexing.statements(text)
        if not statements:
            raise MysqlError("Query was empty", *_EMPTY_QUERY)
        if len(statements) > 1 and not self._multi:
            raise SqlSyntaxError(
                "one statement at a time",
                hint="the client has to ask for several statements in a text when it connects",
                position=statements[1][0].start + 1,
            )
        for number, tokens in enumerate(statements, start=1):
            await self._statement(text, tokens, more=number < len(statements))

    async def _statement(self, text: str, tokens: Sequence[Token], *, more: bool = False, binary: bool = False) -> None:
        """Run one statement and send its answer."""
        result = Result(self._core, self._wire, binary=binary)
        answer = answer_to(text, tokens, self._facts, self._dialect)
        if answer is None:
            sql, _ = rewritten(text, tokens, self._dialect, self._facts.literal)
            await self._run(sql, result)
        else:
            await self._answer(answer, result)
        if not (isinstance(answer, steps.Table) and tokens[-1].value in ("WARNINGS", "ERRORS")):
            self._facts.warnings = result.notices
        self._end(result, more=more)

    async def _answer(self, answer: steps.Answer, result: Result) -> None:
        match answer:
            case steps.Table(columns=columns, rows=rows):
                result.columns(columns)
                await result.rows(rows)
            case steps.Set(values=values):
                result.notices += await self._transactions.set(values)
            case steps.Kill(number=number, connection=connection):
                await self._threads.kill(number, self._facts.user, connection=connection)
            case steps.Begin():
                await self._transactions.begin()
            case steps.End(commit=commit):
                await self._transactions.end(commit=commit)
            case steps.Instead(text=text, pick=None):
                await self._run(text, result)
            case steps.Instead():
                await self._reshaped(answer, result)

    async def _run(self, sql: str, result: Result) -> None:
        async with aclosing(self._transactions.run(sql, result.encoding())) as outputs:
            async for output in outputs:
                await result.take(output)

    async def _reshaped(self, answer: steps.Instead, result: Result) -> None:
        """Send the rows of a command of the session in another shape."""
        assert answer.pick is not None
        names: list[str] = []
        rows: list[steps.Row] = []
        async with aclosing(self._transactions.run(answer.text, TEXT)) as outputs:
            async for output in outputs:
                match output:
                    case ResultColumns(columns=columns):
                        names = [column.name for column in columns]
                    case ResultValues(rows=values):
                        picked = (answer.pick(dict(zip(names, row, strict=True))) for row in values)
                        rows += [row for row in picked if row is not None]
        result.columns(answer.columns)
        await result.rows(rows)

    # --- prepared statements -----------------------------------------------------------------------------------------

    async def _prepare(self, text: str) -> None:
        if len(self._prepared) >= _MOST_PREPARED:
            raise MysqlError(
                f"there are {_MOST_PREPARED} prepared statements already", *_TOO_MANY_STATEMENTS, hint="close some"
            )
        statements = lexing.statements(text)
        if len(statements) != 1:
            raise SqlSyntaxError("a prepared statement is one statement")
        tokens = statements[0]
        self._last += 1
        columns: Sequence[Column] = ()
        answer = answer_to(text, tokens, self._facts, self._dialect)
        if isinstance(answer, steps.Instead) and answer.pick is None:
            entry, columns = await self._prepare_in_session(text, tokens, answer.text, 0)
        elif answer is not None:
            entry = _Prepared(text, tokens, None, 0)
            columns = answer.columns if isinstance(answer, steps.Table | steps.Instead) else ()
        else:
            sql, count = rewritten(text, tokens, self._dialect, self._facts.literal, parameters=True)
            entry, columns = await self._prepare_in_session(text, tokens, sql, count)
        self._prepared[self._last] = entry
        self._send_prepared(self._last, entry.parameters, columns)

    async def _prepare_in_session(
        self, text: str, tokens: Sequence[Token], sql: str, count: int
    ) -> tuple[_Prepared, Sequence[Column]]:
        name = _name(self._last)
        await self._session.prepare(name, sql, ())
        try:
            _, columns = await self._session.describe_statement(name)
        except FairleadError:
            await self._session.close_statement(name)
            raise
        return _Prepared(text, tokens, sql, count), columns or ()

    def _send_prepared(self, number: int, count: int, columns: Sequence[Column]) -> None:
        answers = self._core.answers
        ends = [] if self._core.has(Capability.DEPRECATE_EOF) else [answers.eof(self._transactions.status())]
        payloads = [answers.prepared(number, len(columns), count)]
        if count:
            payloads += [*(answers.parameter(_ANY_TYPE) for _ in range(count)), *ends]
        if columns:
            payloads += [*map(answers.column, columns), *ends]
        for payload in payloads[:-1]:
            self._wire.send(self._core.packet(payload))
        self._wire.send(self._core.ready(payloads[-1]))

    async def _execute(self, event: m.Execute) -> None:
        entry = self._known(event.statement)
        if event.cursor:
            raise NotSupported("cursors are not offered", hint="fetch the whole result")
        long = {number: bytes(data) for number, data in entry.long.items()}
        self._forget_long(entry)
        entry.types, values = values_of.read(event.values, entry.parameters, entry.types, long)
        if entry.sql is None:
            await self._statement(entry.text, entry.tokens, binary=True)
            return
        result = Result(self._core, self._wire, binary=True)
        await self._transactions.prepare_to_run(entry.sql)
        await self._session.bind("", _name(event.statement), values, result.encoding())
        try:
            async with aclosing(self._transactions.watched(self._portal())) as outputs:
                async for output in outputs:
                    await result.take(output)
        finally:
            await self._session.close_portal("")
            await self._session.sync()
        self._facts.warnings = result.notices
        self._end(result)

    async def _portal(self) -> AsyncGenerator[Output, None]:
        columns = await self._session.describe_portal("")
        if columns is not None:
            yield ResultColumns(columns)
        async with closing(self._session.execute("")) as outputs:
            async for output in outputs:
                yield output

    def _keep(self, event: m.LongData) -> None:
        """Keep a piece of a value; what is wrong with it is told at the execution, because this is not answered."""
        entry = self._prepared.get(event.statement)
        room = LONGEST_PAYLOAD - self._long_bytes
        if entry is None or event.parameter >= entry.parameters or len(event.data) > room:
            return
        self._long_bytes += len(event.data)
        entry.long.setdefault(event.parameter, bytearray()).extend(event.data)

    def _forget_long(self, entry: _Prepared) -> None:
        self._long_bytes -= sum(map(len, entry.long.values()))
        entry.long.clear()

    async def _close(self, number: int) -> None:
        entry = self._prepared.pop(number, None)
        if entry is not None:
            self._forget_long(entry)
            await self._session.close_statement(_name(number))

    def _known(self, number: int) -> _Prepared:
        if number not in self._prepared:
            raise MysqlError(f"Unknown prepared statement handler ({number})", *_UNKNOWN_STATEMENT)
        return self._prepared[number]

    # --- ends --------------------------------------------------------------------------------------------------------

    async def _reset(self) -> None:
        self._prepared.clear()
        self._long_bytes = 0
        await self._transactions.reset()
        self._facts.variables = self._transactions.variables

    @property
    def _dialect(self) -> Dialect:
        return self._session.context().dialect

    def _result_end(self) -> bytes:
        """Return what ends a result, which is also the answer to COM_SET_OPTION."""
        answers, status = self._core.answers, self._transactions.status()
        new = self._core.has(Capability.DEPRECATE_EOF)
        return answers.ok(status, header=b"\xfe") if new else answers.eof(status)

    def _ok(self) -> None:
        self._end(Result(self._core, self._wire, binary=False))

    def _end(self, result: Result, *, more: bool = False) -> None:
        payload = result.end(self._transactions.status(more=more))
        self._wire.send(self._core.packet(payload) if more else self._core.ready(payload))


def _name(number: int) -> str:
    return f"mysql {number}"
