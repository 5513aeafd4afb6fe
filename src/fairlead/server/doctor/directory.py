"""The data directory: whose it is, who holds it, and how much room there is around it."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from typing import TYPE_CHECKING, Final

from fairlead.catalog.datadir import holder
from fairlead.server.doctor.finding import Finding, failed, ok, skipped, warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.config import Settings

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MIB: Final = 1024 * 1024
_LITTLE_SHARE: Final = 0.05
_LITTLE_MIB: Final = 1024
_NOTHING_MIB: Final = 64


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at the data directory itself; what lies in it is looked at elsewhere."""
    data = settings.data
    if not data.exists():
        yield skipped("data directory", f"{data} is not there yet", "fairlead serve makes it at the first start")
        yield room(_nearest(data), settings)
        return
    yield _owner(data)
    yield from _modes(data)
    yield _lock(data)
    yield room(data, settings)


def _owner(data: Path) -> Finding:
    owner, me = data.stat().st_uid, os.geteuid()
    if owner == me:
        return ok("data directory", f"{data} belongs to {_name(me)}")
    remedy = f"run the gateway and this command as {_name(owner)}, or chown -R {_name(me)} {data}"
    said = f"{data} belongs to {_name(owner)}, and this is {_name(me)}"
    return (warning if me == 0 else failed)("data directory", said, remedy)


def _modes(data: Path) -> Iterator[Finding]:
    """Private files that others may read; folders below ``lake`` are behind the folder itself."""
    opened = [path for path in (data, *sorted(data.iterdir())) if _is_open(path)]
    if not opened:
        yield ok("permissions", "only its owner can look into it")
    for path in opened:
        mode = stat.S_IMODE(path.stat().st_mode)
        bare = mode & ~_OTHERS
        yield failed("permissions", f"others can reach {path} (mode {mode:04o})", f"chmod {bare:04o} {path}")


def _is_open(path: Path) -> bool:
    return not path.is_symlink() and bool(path.stat().st_mode & _OTHERS) and path.suffix not in (".crt", ".part")


def _lock(data: Path) -> Finding:
    found = holder(data)
    if found is None:
        return ok("lock", "no gateway runs on it")
    return ok("lock", f"held by the gateway with process id {found}")


def room(path: Path, settings: Settings) -> Finding:
    """Look at the free space where ``path`` is, for the catalog, the ledger, tables and one statement's spilling."""
    usage = shutil.disk_usage(path)
    free = usage.free // _MIB
    said = f"{free} MiB of {usage.total // _MIB} MiB are free at {path}"
    remedy = "free some space: on a full disk nothing that must be on record is done"
    if free < _NOTHING_MIB:
        return failed("disk space", said, remedy)
    if free < _LITTLE_MIB or usage.free < usage.total * _LITTLE_SHARE:
        return warning("disk space", said, remedy)
    spill = settings.worker.spill_limit_mb
    if free < spill:
        return warning(
            "disk space",
            f"{said}; one statement may spill {spill} MiB",
            "free some space, or lower FAIRLEAD_WORKER_SPILL_LIMIT_MB",
        )
    return ok("disk space", said)


def _nearest(path: Path) -> Path:
    """Return the nearest folder that is there."""
    return next(folder for folder in path.absolute().parents if folder.exists())


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
