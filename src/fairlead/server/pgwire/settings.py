"""What a startup packet asks for, and what the server says of itself in return."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead.dialects.settings import SERVER_VERSION
from fairlead.errors import InvalidParameter, NotSupported

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOT_SETTINGS: Final = frozenset({"user", "database", "options", "replication", "client_encoding"})
_UTF8_NAMES: Final = frozenset({"utf8", "unicode"})
# A word of the option string: a backslash takes the next character as it is.
_WORD: Final = re.compile(r"(?:\\.|\S)+", re.DOTALL)
_SETTING: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)


def requested(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that a client asks for: its parameters, over those of its ``options``.

    Args:
        parameters: of the startup packet.

    Raises:
        InvalidParameter: an encoding other than UTF-8, or ``options`` that cannot be read.
        NotSupported: replication.
    """
    encoding = parameters.get("client_encoding", "UTF8")
    if re.sub(r"[^a-z0-9]", "", encoding.lower()) not in _UTF8_NAMES:
        raise InvalidParameter(f'invalid value for parameter "client_encoding": "{encoding}"', hint="use UTF8")
    if parameters.get("replication", "false").lower() not in ("false", "off", "no", "0"):
        raise NotSupported("replication connections are not offered")
    direct = {name: value for name, value in parameters.items() if name not in _NOT_SETTINGS}
    return {**parse_options(parameters.get("options", "")), **direct}


def parse_options(text: str) -> dict[str, str]:
    r"""Return the settings of an option string: ``-c name=value`` or ``--name=value``, ``\`` before a space in a value.

    Raises:
        InvalidParameter: it holds anything else.
    """
    settings: dict[str, str] = {}
    words = iter([re.sub(r"\\(.)", r"\1", word, flags=re.DOTALL) for word in _WORD.findall(text)])
    for word in words:
        if word == "-c":
            setting = next(words, "")
        elif word.startswith(("-c", "--")):
            setting = word[2:]
        else:
            setting = ""
        found = _SETTING.fullmatch(setting)
        if found is None:
            raise InvalidParameter(f'invalid option "{word}" in the connection string', hint="write -c name=value")
        settings[found[1].replace("-", "_")] = found[2]
    return settings


def reported(user: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return what a client is told after its login; the session's own reports go over these.

    Args:
        user: who has logged in.
        parameters: of the startup packet.
    """
    return {
        "server_version": SERVER_VERSION,
        "server_encoding": "UTF8",
        "client_encoding": "UTF8",
        "application_name": parameters.get("application_name", ""),
        "session_authorization": user,
        "DateStyle": "ISO, MDY",
        "IntervalStyle": "postgres",
        "TimeZone": "UTC",
        "integer_datetimes": "on",
        "standard_conforming_strings": "on",
        "default_transaction_read_only": "off",
        "in_hot_standby": "off",
    }
