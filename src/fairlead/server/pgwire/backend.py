"""What the wire needs from the house: a backend that knows users and opens sessions, and the sessions themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from fairlead.engine.api import Column, Encoding, Parameter
    from fairlead.session_types import Output

TransactionStatus = Literal["I", "T", "E"]


class ClientSession(Protocol):
    """One client's session. Only one of its methods runs at a time, except for :meth:`cancel`."""

    @property
    def transaction_status(self) -> TransactionStatus:
        """Idle, in a transaction block, or in one that has failed."""
        ...

    def run_script(self, text: str, encoding: Encoding = ...) -> AsyncIterator[Output]:
        """Run the statements of a text in turn; the first error ends it."""
        ...

    async def prepare(self, name: str, text: str, type_oids: Sequence[int]) -> None:
        """Keep a statement under a name; the empty name is overwritten at will."""
        ...

    async def describe_statement(self, name: str) -> tuple[tuple[int, ...], tuple[Column, ...] | None]:
        """Return the types of the parameters, and the columns where there are any."""
        ...

    async def bind(
        self, portal: str, statement: str, parameters: Sequence[Parameter], encoding: Encoding = ...
    ) -> None:
        """Make a portal from a prepared statement; one of the same name is closed first."""
        ...

    async def describe_portal(self, portal: str) -> tuple[Column, ...] | None:
        """Return the columns of a portal where there are any."""
        ...

    def execute(self, portal: str) -> AsyncIterator[Output]:
        """Give what is left of a portal, without its columns.

        After an iterator was closed early, a new one goes on behind the last output of the old one.
        """
        ...

    async def close_statement(self, name: str) -> None:
        """Forget a prepared statement; an unknown one is no error."""
        ...

    async def close_portal(self, name: str) -> None:
        """Forget a portal; an unknown one is no error."""
        ...

    async def sync(self) -> None:
        """End a batch of the extended protocol, and with it a transaction that was not asked for."""
        ...

    async def cancel(self) -> None:
        """End the statement that runs, if one does."""
        ...

    async def close(self) -> None:
        """End the session."""
        ...

    def pending_parameter_status(self) -> dict[str, str]:
        """Return the settings that changed since the last call and that clients follow."""
        ...


class Backend(Protocol):
    """The gateway, as the wire sees it."""

    async def authenticate_verifier(self, user: str) -> str | None:
        """Return the SCRAM verifier of a user who may log in, None for everybody else."""
        ...

    async def login_failed(self, user: str, client: str, reason: str) -> None:
        """Record a failed login."""
        ...

    async def open_session(
        self, *, user: str, database: str | None, parameters: Mapping[str, str], client: str
    ) -> ClientSession:
        """Open a session for a user who has proved who they are.

        Args:
            user: the name that was proved.
            database: as asked for, None where the client named none.
            parameters: settings from the connection string; user, database and encoding are not among them.
            client: address of the client.

        Raises:
            InvalidCatalogName: there is no such database.
        """
        ...

    async def close_session(self, session: Any) -> None:
        """End a session that ``open_session`` gave (of whatever type that is)."""
        ...

    def scrub(self, text: str) -> str:
        """Take every known secret out of a text."""
        ...
