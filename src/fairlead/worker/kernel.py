"""The few system calls that Python does not offer: namespaces, capabilities, process attributes, Landlock.

Each function is one call, named as in the manual pages, and raises ``OSError`` when the kernel says no.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from typing import Final

CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_CAPABILITY_VERSION_3: Final = 0x20080522
_M_ARENA_MAX: Final = -8
_SIOCGIFFLAGS: Final = 0x8913
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 1

# The same numbers on every architecture (asm-generic).
_SYS_CREATE_RULESET: Final = 444
_SYS_ADD_RULE: Final = 445
_SYS_RESTRICT_SELF: Final = 446
_CREATE_RULESET_VERSION: Final = 1
_RULE_PATH_BENEATH: Final = 1
_RULE_NET_PORT: Final = 2

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(_libc.prctl(option, *padded))


def unshare(flags: int) -> None:
    """Leave the namespaces that ``flags`` name for new ones (unshare(2))."""
    _checked(_libc.unshare(flags))


def bring_up_loopback() -> None:
    """Set ``lo`` up in the current network namespace (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh22x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(handle, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))


def drop_capabilities() -> None:
    """Give up every capability, for this process and all that it forks or executes (capabilities(7))."""
    for capability in range(64):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError:  # beyond the last one, or not allowed to: the set is emptied below all the same
            continue
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()))


def end_with_parent(signal_number: int) -> None:
    """Ask for a signal when the parent ends. Forgotten by a change of credentials, so it comes after those."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def hide_from_debuggers() -> None:
    """Make the process not dumpable: no core, no ptrace, ``/proc/PID`` belongs to root."""
    _prctl(_PR_SET_DUMPABLE, 0)


def forbid_new_privileges() -> None:
    """Never gain privileges by executing a file."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def limit_malloc_arenas(count: int) -> None:
    """Let malloc reserve at most so many arenas of 64 MiB of addresses (mallopt(3); glibc only)."""
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, count)


def landlock_version() -> int:
    """Return the version of the kernel's Landlock interface.

    Raises:
        OSError: the kernel has none, or it is switched off.
    """
    ask = ctypes.c_uint32(_CREATE_RULESET_VERSION)
    return _checked(_libc.syscall(_SYS_CREATE_RULESET, None, ctypes.c_size_t(0), ask))


def landlock_ruleset(attributes: bytes) -> int:
    """Return a descriptor of a new rule set.

    Args:
        attributes: struct landlock_ruleset_attr, as long as the kernel's version knows it.
    """
    size, no_flags = ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)
    return _checked(_libc.syscall(_SYS_CREATE_RULESET, attributes, size, no_flags))


def landlock_allow_folder(ruleset: int, access: int, folder: int) -> None:
    """Allow ``access`` below the folder that the descriptor names."""
    rule = struct.pack("=Qi", access, folder)
    _checked(_libc.syscall(_SYS_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, ctypes.c_uint32(0)))


def landlock_allow_port(ruleset: int, access: int, port: int) -> None:
    """Allow ``access`` to a TCP port."""
    rule = struct.pack("=QQ", access, port)
    _checked(_libc.syscall(_SYS_ADD_RULE, ruleset, _RULE_NET_PORT, rule, ctypes.c_uint32(0)))


def landlock_restrict_self(ruleset: int) -> None:
    """Bind the calling thread, and those that it starts later, to the rule set."""
    _checked(_libc.syscall(_SYS_RESTRICT_SELF, ruleset, ctypes.c_uint32(0)))
