"""One statement after the other over one connection: results as the gateway writes them, piece by piece.

Values stay the texts that come over the wire. A result is given in pieces, so that a large one needs no memory. Ctrl-C
cancels the statement, not the shell.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fairlead.errors import FairleadError, NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg
    from psycopg.pq.abc import PGresult

_CHUNK: Final = 500  # rows

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of the rows that follow: names and PostgreSQL's type numbers."""

    names: tuple[str, ...]
    types: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows."""

    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Done:
    """A statement has ended well; ``tag`` is its command tag."""

    tag: str


class StatementFailed(FairleadError):
    """The gateway has refused a statement.

    Args:
        diagnostic: what it says.
        text: of the statement.
    """

    def __init__(self, diagnostic: psycopg.errors.Diagnostic, text: str) -> None:
        place = diagnostic.statement_position
        super().__init__(
            diagnostic.message_primary or "the statement failed",
            hint=diagnostic.message_hint,
            detail=diagnostic.message_detail,
            position=int(place) if place else None,
        )
        self.state = diagnostic.sqlstate or ""
        self.context = diagnostic.context
        self.text = text


class Lost(FairleadError):
    """The connection has ended."""

    sqlstate = "08006"


@contextmanager
def failing(text: str) -> Iterator[None]:
    """Turn psycopg's errors into the shell's.

    Args:
        text: the statement, for the place of an error in it.
    """
    import psycopg  # noqa: PLC0415  # comes with an extra

    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate is None:
            raise Lost(f"the connection is lost: {str(error).partition(chr(10))[0]}") from None
        raise StatementFailed(error.diag, text) from None


class Runner:
    """Runs statements over a connection.

    Args:
        connection: in autocommit mode.
        on_notice: gets severity, message and hint of every notice, also while a statement runs.
    """

    def __init__(self, connection: psycopg.Connection[Any], on_notice: Callable[[str, str, str | None], None]) -> None:
        from psycopg import generators, pq  # noqa: PLC0415  # comes with an extra

        self._pq, self._fetch = pq, generators.fetch
        self.connection = connection
        self._on_notice = on_notice
        self._interrupted = False
        connection.add_notice_handler(self._noticed)

    @property
    def status(self) -> str:
        """Return what PostgreSQL's prompts show of a transaction: nothing, ``*`` in one, ``!`` in a failed one."""
        marks = {"INTRANS": "*", "INERROR": "!"}
        return marks.get(self.connection.info.transaction_status.name, "")

    def run(self, text: str) -> Iterator[Columns | Rows | Done]:
        """Run one statement.

        Args:
            text: of it.

        Raises:
            StatementFailed: the gateway refuses it.
            Lost: the connection has ended.
            KeyboardInterrupt: Ctrl-C; the statement is cancelled.
        """
        with self.connection.lock, failing(text):
            self.connection.pgconn.send_query(text.encode())
            self._in_pieces()
            try:
                yield from self._results(text)
            finally:
                self._drain()

    def _in_pieces(self) -> None:
        raw = self.connection.pgconn
        try:
            raw.set_chunked_rows_mode(_CHUNK)
        except Exception:  # noqa: BLE001  # an older libpq does not know it
            raw.set_single_row_mode()

    def _results(self, text: str) -> Iterator[Columns | Rows | Done]:
        status, begun = self._pq.ExecStatus, False
        while (result := self._next()) is not None:
            match result.status:
                case status.SINGLE_TUPLE | status.TUPLES_CHUNK | status.TUPLES_OK:
                    if not begun:
                        begun = True
                        yield _columns(result)
                    if result.ntuples:
                        yield Rows(_rows(result))
                    if result.status == status.TUPLES_OK:
                        begun = False
                        yield Done(_tag(result))
                case status.COMMAND_OK:
                    yield Done(_tag(result))
                case status.EMPTY_QUERY:
                    return
                case status.COPY_IN | status.COPY_OUT:
                    self._leave_copy(result)
                    raise NotSupported("the data of a COPY are not typed here", hint="use \\copy with a file")
                case _:
                    from psycopg.errors import Diagnostic  # noqa: PLC0415  # comes with an extra

                    raise StatementFailed(Diagnostic(result), text)

    def _leave_copy(self, result: PGresult) -> None:
        if result.status == self._pq.ExecStatus.COPY_IN:
            self.connection.pgconn.put_copy_end(b"the client sends no data")
        else:
            self.connection.cancel_safe()
            while self.connection.pgconn.get_copy_data(0)[0] > 0:
                pass

    def _next(self) -> PGresult | None:
        result: PGresult | None = self.connection.wait(self._fetch(self.connection.pgconn))
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt
        return result

    def _drain(self) -> None:
        """Read what is left after an error, or after Ctrl-C, so that the next statement can be sent."""
        while self.connection.pgconn.transaction_status == self._pq.TransactionStatus.ACTIVE:
            if self._next() is None:
                return

    def _noticed(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        message = diagnostic.message_primary or ""
        try:
            self._on_notice(diagnostic.severity or "NOTICE", message, diagnostic.message_hint)
        except KeyboardInterrupt:  # libpq, which calls this, would lose it
            self._interrupted = True
            self.connection.cancel_safe()


def _columns(result: PGresult) -> Columns:
    many = range(result.nfields)
    names = tuple((result.fname(i) or b"").decode(errors="replace") for i in many)
    return Columns(names, tuple(result.ftype(i) for i in many))


def _rows(result: PGresult) -> list[Row]:
    many = range(result.nfields)
    return [tuple(_text(result.get_value(row, i)) for i in many) for row in range(result.ntuples)]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def _tag(result: PGresult) -> str:
    return (result.command_status or b"").decode(errors="replace")
