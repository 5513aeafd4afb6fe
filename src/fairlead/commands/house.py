"""The services that a command works with, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.access.access import Access
    from fairlead.access.ledger import Ledger
    from fairlead.catalog.catalog import Catalog
    from fairlead.clock import Clock
    from fairlead.config import Settings
    from fairlead.egress.egress import Egress
    from fairlead.egress.resolver import Resolver
    from fairlead.session_types import Notice
    from fairlead.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class House:
    """One gateway's rooms, as far as commands need them."""

    settings: Settings
    clock: Clock
    catalog: Catalog
    vault: Vault
    access: Access
    ledger: Ledger
    resolver: Resolver
    egress: Egress


@dataclass(frozen=True, slots=True)
class Result:
    """What a catalog command answers: a command tag, and rows of text where it has columns."""

    tag: str
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[str | None, ...]] = ()
    notices: tuple[Notice, ...] = ()
