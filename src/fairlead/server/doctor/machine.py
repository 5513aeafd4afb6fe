"""The machine: protective layers, extensions of the engine, memory, open files, and the clock."""

from __future__ import annotations

import ctypes
import resource
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fairlead.catalog.catalog import FILE_NAME
from fairlead.catalog.datadir import holder
from fairlead.engine.engine import probe_layers
from fairlead.engine.zygote import extension_files
from fairlead.errors import ConfigurationError
from fairlead.server.doctor.finding import Finding, failed, ok, skipped, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.config import Settings

_WORKER_MIB: Final = 8  # of an idle worker's own (ENGINE.md)
_FILES_OF_A_SESSION: Final = 8  # client, statements, control, process, requests to stores
_FILES_OF_THE_GATEWAY: Final = 200
_MIB: Final = 1024 * 1024
_ADJTIMEX_BYTES: Final = 512  # more than any struct timex; modes = 0 only asks (adjtimex(2))
_TIME_ERROR: Final = 5


async def layers(settings: Settings) -> list[Finding]:
    """Start the workers' fork server for a moment: what it reports is what holds, and the extensions' signatures."""
    try:
        found = await probe_layers(settings)
    except ConfigurationError as error:
        return [failed("workers", error.message, error.hint or "no statement can run")]
    modes = settings.layers.model_dump()
    return [
        ok(f"layer {layer.name}", layer.reason)
        if layer.active
        else (failed if modes.get(layer.name) == "require" else warning)(
            f"layer {layer.name}", layer.reason, _REMEDIES.get(layer.name, "see docs/operation.md, layers")
        )
        for layer in found
    ]


_REMEDIES: Final = {
    "namespace": "allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
    "kernel.apparmor_restrict_unprivileged_userns; in a container see docs/operation.md)",
    "landlock": "use a kernel from 5.13 on with landlock in the lsm= list (6.7 to restrict ports)",
    "limits": "raise the hard limits of the service (ulimit -Hv, LimitAS=)",
}


def extensions() -> Iterator[Finding]:
    """Compare the versions of engine and extensions: they are signed for each other."""
    try:
        files = extension_files()
    except ConfigurationError as error:
        yield failed("extensions", error.message, error.hint or "install Fairlead again")
        return
    wanted = metadata.version("duckdb")
    versions = {name: metadata.version(f"duckdb-extension-{name.replace('_', '-')}") for name in files}
    other = {name: version for name, version in versions.items() if version != wanted}
    if other:
        listed = ", ".join(f"{name} {version}" for name, version in other.items())
        yield failed("extensions", f"DuckDB is {wanted}, but {listed}", "install the versions that Fairlead asks for")
    else:
        yield ok("extensions", f"{', '.join(versions)} of DuckDB {wanted}")


def memory(settings: Settings) -> Finding:
    """Compare the machine's memory, or the container's, with what the settings allow sessions to take."""
    total = _memory_mib()
    if total is None:
        return skipped("memory", "this system does not say how much there is")
    worker = settings.worker
    idle, at_once = worker.max_sessions * _WORKER_MIB, total // worker.memory_limit_mb
    said = (
        f"{total} MiB: {worker.max_sessions} idle sessions take about {idle} MiB, "
        f"and {at_once} statements can use all of their {worker.memory_limit_mb} MiB at once"
    )
    if not at_once:
        return failed("memory", said, "lower FAIRLEAD_WORKER_MEMORY_LIMIT_MB, or add memory")
    if idle > total // 2:
        return warning("memory", said, "lower FAIRLEAD_WORKER_MAX_SESSIONS, or add memory")
    return ok("memory", said)


def _memory_mib(root: Path = Path("/")) -> int | None:
    lines = _text(root / "proc/meminfo").splitlines()
    found = [int(line.split()[1]) // 1024 for line in lines if line.startswith("MemTotal:")]
    for name in ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"):
        limit = _text(root / name).strip()
        if limit.isdecimal():
            found.append(int(limit) // _MIB)
    return min(found, default=None)


def open_files(settings: Settings) -> Finding:
    """Compare the limit of open files with what all sessions need; of the running gateway where there is one."""
    running = holder(settings.data) if settings.data.is_dir() else None
    limit = _limit_of(running) if running is not None else resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit is None:
        return skipped("open files", f"the limit of process {running} cannot be read", "run this as root")
    if limit == resource.RLIM_INFINITY:
        return ok("open files", "no limit")
    needed = settings.worker.max_sessions * _FILES_OF_A_SESSION + _FILES_OF_THE_GATEWAY
    said = f"{limit} may be open{' in the running gateway' if running else ''}, {needed} are needed when it is full"
    if limit < needed:
        remedy = f"LimitNOFILE={needed} in the systemd unit, ulimit -n, or fewer FAIRLEAD_WORKER_MAX_SESSIONS"
        return warning("open files", said, remedy)
    return ok("open files", said)


def _limit_of(pid: str) -> int | None:
    for line in _text(Path("/proc") / pid / "limits").splitlines():
        if line.startswith("Max open files"):
            soft = line.split()[3]
            return int(soft) if soft.isdecimal() else resource.RLIM_INFINITY
    return None


def clock(settings: Settings) -> Finding:
    """A wrong clock makes stores refuse signatures, certificates look expired, and the ledger's times untrue."""
    now = datetime.now(UTC)
    catalog = settings.data / FILE_NAME
    if catalog.exists():
        written = datetime.fromtimestamp(catalog.stat().st_mtime, UTC)
        if written > now + timedelta(minutes=1):
            said = f"it is {now:%Y-%m-%d %H:%M} UTC here, but the catalog was written at {written:%Y-%m-%d %H:%M}"
            return failed("clock", said, "set the clock: stores refuse requests whose time is wrong")
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if _unsynchronised():
        return warning("clock", f"{said}, and nothing keeps it right", "run chrony, systemd-timesyncd or the like")
    return ok("clock", said)


def _unsynchronised() -> bool:
    """Ask the kernel whether a time service keeps its clock."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_ADJTIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return bool(state == _TIME_ERROR)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
