"""Migrations of the catalog, run by ``Catalog.open``; Alembic is imported only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Oldest first. A stored revision that is not here was written by a newer Fairlead.
REVISIONS: Final = ("0001", "0002")


def migrate(connection: Connection) -> None:
    """Bring the schema to the newest revision in the caller's transaction, so that a crash leaves all or nothing."""
    from alembic import command  # noqa: PLC0415  # takes longer to import than an up-to-date catalog to open
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
