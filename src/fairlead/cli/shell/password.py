"""A new password for a user, so that it stays in the client: what is sent is its verifier (RFC 5802)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairlead.cli.shell.asking import ask_password
from fairlead.cli.shell.running import failing
from fairlead.errors import InvalidParameter

if TYPE_CHECKING:
    import psycopg


def change_password(connection: psycopg.Connection[Any], user: str) -> None:
    """Ask for a new password twice, and set it.

    Args:
        connection: of the user, or of an administrator.
        user: whose password.

    Raises:
        InvalidParameter: the two differ, or are empty.
        StatementFailed: the gateway refuses.
    """
    chosen = ask_password(f"New password for {user}: ")
    if not chosen:
        message = "the password is empty"
        raise InvalidParameter(message, hint="nothing was changed")
    if chosen != ask_password("Once more: "):
        message = "the two passwords differ"
        raise InvalidParameter(message, hint="nothing was changed")
    verifier = connection.pgconn.encrypt_password(chosen.reveal().encode(), user.encode(), b"scram-sha-256").decode()
    name = '"' + user.replace('"', '""') + '"'
    with failing(""):
        connection.execute(f"ALTER USER {name} PASSWORD '{verifier}'".encode())
