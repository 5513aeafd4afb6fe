"""The services that a command works with, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from fairlead.errors import ObjectNotReady
from fairlead.observer import NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fairlead.access.access import Access
    from fairlead.access.ledger import Ledger
    from fairlead.catalog.catalog import Catalog
    from fairlead.clock import Clock
    from fairlead.commands.introspection.base import Activity
    from fairlead.commands.introspection.shapes import ColumnShape
    from fairlead.config import Settings
    from fairlead.dialects.infos import TableInfo
    from fairlead.egress.egress import Egress
    from fairlead.egress.resolver import Resolver
    from fairlead.engine.lake.lakes import Lakes
    from fairlead.observer import Observer
    from fairlead.session_types import Notice
    from fairlead.vault.vault import Vault


def _no_lake(object_id: int) -> NoReturn:
    message = f"table {object_id} has no lake"
    raise ObjectNotReady(message, hint="this gateway was put together without one")


@dataclass(frozen=True, slots=True)
class House:
    """One gateway's rooms, as far as commands need them.

    ``columns_of`` gives the names of a table's columns, ``shape_of`` all that it is made of, both from the lake, by the
    table's object id; ``comments_in`` the comments of a database's tables. ``activity`` tells of the sessions there
    are, ``view_columns`` keeps what the engine has said of views.
    """

    settings: Settings
    clock: Clock
    catalog: Catalog
    vault: Vault
    access: Access
    ledger: Ledger
    resolver: Resolver
    egress: Egress
    lakes: Lakes
    columns_of: Callable[[int], tuple[str, ...]] = _no_lake
    shape_of: Callable[[int], TableInfo] = _no_lake
    comments_in: Callable[[int], Mapping[int, str]] = lambda _: {}
    activity: Callable[[], Sequence[Activity]] = tuple
    view_columns: dict[tuple[object, ...], tuple[ColumnShape, ...]] = field(default_factory=dict)
    observer: Observer = NOBODY


@dataclass(frozen=True, slots=True)
class Result:
    """What a catalog command answers: a command tag, and rows of text where it has columns."""

    tag: str
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[str | None, ...]] = ()
    notices: tuple[Notice, ...] = ()
