"""What the listener knows of a session, and gives where a statement asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fairlead.server.mysql.variables import VERSION, Value, Variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.server.mysql.lexing import Token
    from fairlead.server.mysql.steps import Row
    from fairlead.session_types import Notice


@dataclass(slots=True)
class Facts:
    """What the listener knows of a session.

    Args:
        user: who is logged in.
        address: of the client.
        number: of the connection.
        database: gives the current one.
        processes: gives the rows of SHOW PROCESSLIST.
        variables: of the session.
        warnings: of the last statement.
    """

    user: str
    address: str
    number: int
    database: Callable[[], str]
    processes: Callable[[], list[Row]]
    variables: Variables = field(default_factory=Variables)
    warnings: list[Notice] = field(default_factory=list)

    def value(self, token: Token) -> Value:
        """Return what a variable, or a function of the session, gives.

        Raises:
            MysqlError: there is no such variable.
        """
        if token.kind == "variable":
            own = {"warning_count": len(self.warnings), "error_count": 0, "pseudo_thread_id": self.number}
            return own[token.value] if token.value in own else self.variables.get(token.value)
        match token.value:
            case "DATABASE" | "SCHEMA":
                return self.database()
            case "VERSION":
                return VERSION
            case "CONNECTION_ID":
                return self.number
            case "LAST_INSERT_ID":
                return 0
        return f"{self.user}@{self.address}"

    def literal(self, token: Token) -> str:
        """Return the same as a literal of SQL."""
        value = self.value(token)
        if value is None:
            return "NULL"
        return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
