"""What the data directory holds: catalog, keyring, ledger, tables. Only read, also beside a running gateway."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from fairlead.access.ledger import Ledger
from fairlead.catalog.catalog import FILE_NAME, Catalog
from fairlead.catalog.datadir import holder
from fairlead.catalog.inspecting import inspect
from fairlead.catalog.migrations import REVISIONS
from fairlead.engine.lake import files
from fairlead.engine.lake.lake import CATALOG_NAME
from fairlead.engine.lake.orphans import collect
from fairlead.errors import FairleadError
from fairlead.server.doctor.finding import Finding, failed, ok, skipped, warning
from fairlead.vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.config import Settings

_BACKUP: Final = "stop the gateway and bring back catalog.db and keyring.json from one backup"


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at catalog, keyring, ledger and tables."""
    data = settings.data
    if not (data / FILE_NAME).is_file():
        yield skipped("catalog", f"there is no catalog in {data}", "fairlead serve makes it at the first start")
        return
    seen = inspect(data / FILE_NAME)
    newest = REVISIONS[-1]
    if seen.problems:
        yield failed("catalog", f"the catalog is damaged: {'; '.join(seen.problems)}", _BACKUP)
    elif seen.revision is None:
        yield failed("catalog", f"{data / FILE_NAME} is not a catalog of Fairlead", "choose another data directory")
    elif seen.is_newer:
        said = f"the catalog is of a newer Fairlead (revision {seen.revision}, this one knows {newest})"
        yield failed("catalog", said, "install the newer version, or restore a backup made by this one")
    elif seen.is_older:
        said = f"the catalog is sound, and of an older Fairlead (revision {seen.revision}, now {newest})"
        yield ok("catalog", f"{said}: the next start migrates it, after a backup")
        yield skipped("ledger", "an older catalog is not opened here", "look again after the next start")
    else:
        yield ok("catalog", f"sound, revision {newest}")
        yield from _secrets(data)
        yield from _lakes(data)


def _secrets(data: Path) -> Iterator[Finding]:
    """Open the keyring, try it on every sealed secret, and walk the ledger with the key that it gives."""
    catalog = Catalog.open(data)
    try:
        with catalog.read() as snapshot:
            vault = Vault.open(data, in_use=True)
            sealed = list(snapshot.all_sealed())
        for object_id, field, one in sealed:
            vault.unseal(one.envelope, object_id=object_id, field=field, version=one.version)
    except FairleadError as error:
        yield failed("keyring", error.message, error.hint or _BACKUP)
        return
    else:
        yield ok("keyring", f"it opens all {len(sealed)} stored secrets")
        found = Ledger(catalog, vault.ledger_key()).verify()
    finally:
        catalog.close()
    if found.ok:
        yield ok("ledger", f"the chain of {found.rows} rows holds")
    else:
        row = "" if found.first_bad is None else f" at row {found.first_bad}"
        remedy = "keep a copy of the data directory, and compare with a backup: somebody changed the ledger"
        yield failed("ledger", f"the chain is broken{row}: {found.reason}", remedy)


def _lakes(data: Path) -> Iterator[Finding]:
    folders = [path for path in sorted((data / "lake").glob("*")) if path.name.isdecimal()]
    broken = [finding for folder in folders for finding in _lake(folder)]
    yield from broken
    if not broken:
        yield ok("tables", f"every file of {len(folders)} database(s) is there")
    if holder(data) is not None:
        yield skipped("left-overs", "a gateway is at work", "VACUUM in it removes what is not needed")
        return
    left = [one for one in collect(data.resolve(), dry_run=True) if one.files]
    if left:
        freed = sum(one.size for one in left)
        said = f"{sum(one.files for one in left)} files that nothing needs hold {freed} bytes"
        yield warning("left-overs", said, f"fairlead gc --data {data}")
    else:
        yield ok("left-overs", "crashes have left nothing")


def _lake(folder: Path) -> Iterator[Finding]:
    """Say what is wrong with the tables of one database; nothing where all is well."""
    metadata = folder / CATALOG_NAME
    if not metadata.is_file():
        yield failed("tables", f"the metadata of {folder} are missing", "restore the data directory from a backup")
        return
    try:
        with closing(sqlite3.connect(f"{metadata.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as opened:
            damage = [row[0] for row in opened.execute("PRAGMA quick_check(3)") if row[0] != "ok"]
    except sqlite3.DatabaseError as error:
        damage = [str(error)]
    if damage:
        said = f"the metadata of {folder} are damaged: {'; '.join(damage)}"
        yield failed("tables", said, "restore the data directory from a backup")
        return
    gone = files.missing(metadata, folder / "files") if (folder / "files").is_dir() else []
    if gone:
        said = f"{len(gone)} file(s) of tables are missing, {gone[0]} for one"
        yield failed("tables", said, "restore them from a backup: reading these tables fails")
