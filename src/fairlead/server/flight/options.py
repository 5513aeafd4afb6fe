"""Session options of Flight: the current database and schema under Flight's names, and the session's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.engine.lake.names import literal, quote
from fairlead.errors import InvalidParameter
from fairlead.session_types import ResultValues

if TYPE_CHECKING:
    from fairlead.server.flight.messages import Option
    from fairlead.server.flight.session import FlightSession, Turn

_CATALOG: Final = "catalog"
_SCHEMA: Final = "schema"


class Options:
    """The options of one session, for one call.

    Args:
        session: of the client.
        turn: of the call.
    """

    def __init__(self, session: FlightSession, turn: Turn) -> None:
        self._session = session
        self._turn = turn

    async def set(self, name: str, value: Option) -> None:
        """Set an option; None sets its default.

        Raises:
            UndefinedObject: there is no such option.
            InvalidParameter: a value that it cannot have.
        """
        if isinstance(value, list):
            raise InvalidParameter(f"{name} takes one value")
        if name == _CATALOG:
            if not isinstance(value, str):
                raise InvalidParameter("the catalog is the name of a database")
            await self._session.run(self._turn, f"USE {quote(value)}")
            return
        setting = quote("search_path" if name == _SCHEMA else name)
        if value is None:
            await self._session.run(self._turn, f"RESET {setting}")
            return
        text = str(value).lower() if isinstance(value, bool) else str(value)
        await self._session.run(self._turn, f"SET {setting} = {literal(text)}")

    async def all(self) -> dict[str, str]:
        """Return every option with its value."""
        found = {_CATALOG: self._session.database()}
        for output in await self._session.run(self._turn, "SHOW ALL"):
            if isinstance(output, ResultValues):
                found |= {str(row[0]): row[1] or "" for row in output.rows}
        found[_SCHEMA] = found.get("search_path", "")
        return found
