"""One statement's answer on its way to the client: columns, rows, and what ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.engine.api import Encoding
from fairlead.engine.blocks import packets_of_row
from fairlead.errors import NotSupported
from fairlead.server.mysql.protocol import Capability, Status
from fairlead.session_types import Complete, CopyIn, EmptyStatement, Notice, ResultColumns, ResultRows, ResultValues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.engine.api import Column
    from fairlead.server.mysql.connection import Connection
    from fairlead.server.pgwire.wire import Wire
    from fairlead.session_types import Output

_TOGETHER: Final = 500  # rows of a command that are sent in one piece


class Result:
    """The answer to one statement.

    Args:
        core: the conversation.
        wire: to the client.
        binary: whether rows are in the binary format.
    """

    def __init__(self, core: Connection, wire: Wire, *, binary: bool) -> None:
        self._core = core
        self._wire = wire
        self._binary = binary
        self._plain_ends = not core.has(Capability.DEPRECATE_EOF)
        self._columns = 0
        self.tag = ""
        self.notices: list[Notice] = []

    def encoding(self) -> Encoding:
        """Return how a worker is to encode the rows: its numbers go on behind the description of the columns."""
        first = self._core.number + 1 + self._plain_ends
        return Encoding("mysql_binary" if self._binary else "mysql", first=first)

    async def take(self, output: Output) -> None:
        """Send what a session gives; notices and the end are kept."""
        match output:
            case ResultRows(data=data, count=count):
                await self._wire.send_block(data)
                self._core.passed(packets_of_row(data) if count == 1 else count)
            case ResultColumns(columns=columns):
                self.columns(columns)
            case ResultValues(rows=rows):
                await self.rows(rows)
            case Complete(tag=tag):
                self.tag = tag
            case Notice():
                self.notices.append(output)
            case CopyIn(intake=intake):
                hint = "put the file on a stage: COPY t FROM @stage/file"
                intake.fail(NotSupported("COPY FROM STDIN is not offered over this protocol", hint=hint))
            case EmptyStatement():
                self.tag = ""

    def columns(self, columns: Sequence[Column]) -> None:
        """Describe the columns of the rows that follow."""
        answers = self._core.answers
        self._columns = len(columns)
        self._send(answers.column_count(len(columns)))
        for column in columns:
            self._send(answers.column(column))
        if self._plain_ends:
            self._send(answers.eof(0))

    async def rows(self, rows: Sequence[Sequence[str | None]]) -> None:
        """Send rows of texts."""
        for at in range(0, len(rows), _TOGETHER):
            encoded = (self._core.answers.row(row, binary=self._binary) for row in rows[at : at + _TOGETHER])
            await self._wire.send_block(b"".join(map(self._core.packet, encoded)))

    def end(self, status: int) -> bytes:
        """Return the payload that ends the answer."""
        answers, warnings = self._core.answers, sum(one.severity == "WARNING" for one in self.notices)
        if not self._columns:
            return answers.ok(status, affected=self.affected, warnings=warnings)
        if self._plain_ends:
            return answers.eof(status, warnings)
        return answers.ok(status, warnings=warnings, header=b"\xfe")

    @property
    def affected(self) -> int:
        """How many rows were changed, by the command tag."""
        count = self.tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def _send(self, payload: bytes) -> None:
        self._wire.send(self._core.packet(payload))


def status_of(*, in_transaction: bool, autocommit: bool, more: bool = False) -> int:
    """Return what an answer says of the session."""
    return (
        (Status.IN_TRANSACTION if in_transaction else 0)
        | (Status.AUTOCOMMIT if autocommit else 0)
        | (Status.MORE_RESULTS if more else 0)
    )
