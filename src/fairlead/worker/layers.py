"""What holds a worker in place: an empty network namespace, Landlock, limits, and no privileges.

Each layer returns whether it is in force and why (not); a mode ``off`` skips it. Whether the gateway may run without
one is not decided here.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fairlead.worker import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

OFF: Final = "off"
SWITCHED_OFF: Final = "switched off by the settings"
_OOM_SCORE: Final = 500
_OPEN_FILES: Final = 512
_MIB: Final = 1024 * 1024

# Landlock: rights on files by version of the interface (uapi/linux/landlock.h).
_FS_RIGHTS: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_FS_EXECUTE: Final = 1 << 0
_FS_READ: Final = (1 << 2) | (1 << 3)  # contents of files, names in folders
_FS_MAKE_OTHER: Final = (1 << 6) | (1 << 9) | (1 << 10) | (1 << 11) | (1 << 12)  # devices, sockets, pipes, links
_NET_BIND: Final = 1 << 0
_NET_CONNECT: Final = 1 << 1
_SCOPES: Final = (1 << 0) | (1 << 1)  # abstract Unix sockets, signals
_NET_SINCE: Final = 4
_SCOPE_SINCE: Final = 6


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a layer is in force, and why or why not."""

    active: bool
    reason: str

    def as_json(self) -> list[object]:
        """Return it as it travels to the gateway."""
        return [self.active, self.reason]


def enter_namespace(mode: str) -> Status:
    """Enter an empty network namespace with ``lo`` up. To be called before any thread exists.

    Raises:
        OSError: the namespace was entered, but its ``lo`` cannot be set up.
    """
    if mode == OFF:
        return Status(False, SWITCHED_OFF)
    try:
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNET)
    except OSError as first:
        try:
            kernel.unshare(kernel.CLONE_NEWNET)
        except OSError:
            return Status(False, f"the kernel refuses user and network namespaces: {first.strerror}")
    kernel.bring_up_loopback()
    return Status(True, "empty network namespace, only its own loopback")


def give_up_privileges() -> None:
    """Drop every capability for good, end with the parent, be invisible to debuggers."""
    kernel.drop_capabilities()
    kernel.forbid_new_privileges()
    seal_process()


def seal_process() -> None:
    """Set what a fork does not inherit: the end with the parent. And no dumps."""
    kernel.end_with_parent(signal.SIGKILL)
    kernel.hide_from_debuggers()


def prefer_to_be_killed() -> None:
    """Raise the score by which the kernel picks a process when memory is short. Before privileges are given up."""
    try:
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
    except OSError:  # no /proc: the limits remain
        return


def apply_limits(mode: str, *, address_space_mb: int, cpu_seconds: int, file_mb: int | None) -> Status:
    """Limit memory, CPU time, size of files and open files of this process.

    Args:
        mode: of the layer.
        address_space_mb: MiB.
        cpu_seconds: seconds, 0 = no limit.
        file_mb: largest file that may be written, MiB; None = no limit.
    """
    if mode == OFF:
        return Status(False, SWITCHED_OFF)
    # Beyond the limit a write fails instead of ending the process.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_AS: address_space_mb * _MIB,
    }
    if file_mb is not None:
        wanted[resource.RLIMIT_FSIZE] = file_mb * _MIB
    if cpu_seconds:
        wanted[resource.RLIMIT_CPU] = cpu_seconds
    try:
        for kind, value in wanted.items():
            _, hard = resource.getrlimit(kind)
            allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (allowed, allowed))
    except (OSError, ValueError) as error:
        return Status(False, f"limits are refused: {error}")
    processor = f", {cpu_seconds} s of CPU" if cpu_seconds else ""
    return Status(True, f"{address_space_mb} MiB of address space{processor}")


def apply_landlock(mode: str, *, writable: Sequence[str], readable: Sequence[str], port: int) -> Status:
    """Leave this thread, and those it starts later, no file but those in some folders and no TCP port but ``port``.

    Args:
        mode: of the layer.
        writable: folders with full rights on files; no programs are run and no links, pipes and devices made in them.
        readable: folders whose files can be read.
        port: of the store proxy.
    """
    if mode == OFF:
        return Status(False, SWITCHED_OFF)
    try:
        version = kernel.landlock_version()
    except OSError as error:
        return Status(False, f"the kernel has no Landlock, or it is switched off: {error.strerror}")
    rights = max(bits for since, bits in _FS_RIGHTS.items() if since <= version)
    attributes = [rights]
    if version >= _NET_SINCE:
        attributes.append(_NET_BIND | _NET_CONNECT)
    if version >= _SCOPE_SINCE:
        attributes.append(_SCOPES)
    ruleset = kernel.landlock_ruleset(struct.pack(f"={len(attributes)}Q", *attributes))
    try:
        for folder in writable:
            _allow(ruleset, folder, rights & ~(_FS_EXECUTE | _FS_MAKE_OTHER))
        for folder in readable:
            _allow(ruleset, folder, _FS_READ)
        if version >= _NET_SINCE:
            kernel.landlock_allow_port(ruleset, _NET_CONNECT, port)
        kernel.landlock_restrict_self(ruleset)
    finally:
        os.close(ruleset)
    held = "files"
    held += ", TCP ports" if version >= _NET_SINCE else ""
    held += ", signals and abstract sockets" if version >= _SCOPE_SINCE else ""
    return Status(True, f"Landlock version {version}: {held}")


def _allow(ruleset: int, folder: str, access: int) -> None:
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        kernel.landlock_allow_folder(ruleset, access, descriptor)
    finally:
        os.close(descriptor)
