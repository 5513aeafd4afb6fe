"""The first superuser, made at first start, and the way back in when nobody can log in any more."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from fairlead.access.ledger import Ledger, LedgerEvent
from fairlead.access.scram import make_verifier
from fairlead.errors import InvalidParameter, UndefinedObject
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from fairlead.catalog.catalog import Catalog

SUPERUSER: Final = "fairlead"
_GENERATED_BYTES: Final = 18


def ensure_superuser(catalog: Catalog, ledger: Ledger, password: Sensitive | None) -> Sensitive | None:
    """Create the user ``fairlead`` in a catalog in which no superuser can log in; otherwise change nothing.

    Args:
        catalog: where.
        ledger: takes the row about it.
        password: to set; None, or an empty one, generates a password.

    Returns:
        The generated password, to be shown once; None if there was nothing to generate.
    """
    with catalog.read() as snapshot:
        if any(role.superuser and role.login for role in snapshot.roles()):
            return None
    generated = None if password else _generate()
    verifier = make_verifier(generated or password or Sensitive(""))
    with catalog.write() as tx:
        existing = tx.role(SUPERUSER)
        if existing is None:
            tx.create_role(SUPERUSER, login=True, superuser=True, verifier=verifier)
        else:
            tx.alter_role(existing.id, superuser=True, verifier=verifier)
        ledger.append(tx, LedgerEvent("ddl", "system", "CREATE USER", f"role {SUPERUSER}"))
    return generated


def reset_superuser(catalog: Catalog, ledger: Ledger, name: str, password: Sensitive | None, *, by: str) -> Sensitive:
    """Give a superuser a new password, without asking for the old one. The data directory has to be locked.

    Args:
        catalog: where.
        ledger: takes the row about it.
        name: of the user, in any case.
        password: to set; None generates one.
        by: the user of the operating system who asks.

    Returns:
        The password that holds now.

    Raises:
        UndefinedObject: there is no such user.
        InvalidParameter: the user cannot log in, or is no superuser; or the password is empty.
    """
    chosen = _generate() if password is None else password
    if not chosen:
        message = "the password is empty"
        raise InvalidParameter(message, hint="give one line with the new password on standard input")
    verifier = make_verifier(chosen)
    with catalog.write() as tx:
        able = sorted(role.name for role in tx.roles() if role.superuser and role.login)
        hint = f"those who can: {', '.join(able)}" if able else "start the gateway: it makes one where there is none"
        role = tx.role(name)
        if role is None:
            message = f'user "{name}" does not exist'
            raise UndefinedObject(message, hint=hint)
        if role.name not in able:
            message = f'"{role.name}" is not an administrator who logs in'
            raise InvalidParameter(message, hint=hint)
        tx.alter_role(role.id, verifier=verifier)
        event = LedgerEvent("ddl", "system", "RESET PASSWORD", f"role {role.name}", detail={"by": by})
        ledger.append(tx, event)
    return chosen


def _generate() -> Sensitive:
    return Sensitive(secrets.token_urlsafe(_GENERATED_BYTES))
