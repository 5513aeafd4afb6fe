"""The first superuser, made at first start."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from fairlead.access.ledger import Ledger, LedgerEvent
from fairlead.access.scram import make_verifier
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
    generated = None if password else Sensitive(secrets.token_urlsafe(_GENERATED_BYTES))
    verifier = make_verifier(generated or password or Sensitive(""))
    with catalog.write() as tx:
        existing = tx.role(SUPERUSER)
        if existing is None:
            tx.create_role(SUPERUSER, login=True, superuser=True, verifier=verifier)
        else:
            tx.alter_role(existing.id, superuser=True, verifier=verifier)
        ledger.append(tx, LedgerEvent("ddl", "system", "CREATE USER", f"role {SUPERUSER}"))
    return generated
