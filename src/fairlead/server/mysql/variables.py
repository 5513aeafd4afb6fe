"""MySQL's system variables of one session: what clients ask for, and what they may set.

A value that cannot be honoured is refused; one that is honoured by something stronger, or that concerns nothing here,
gives a warning. The mode of the text (``sql_mode``) is fixed, because clients escape values for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead import __version__
from fairlead.errors import InvalidParameter, NotSupported
from fairlead.server.mysql.codes import MysqlError
from fairlead.server.mysql.connection import LONGEST_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | int | bool | None

# Clients take behaviour from the number, and drivers ask 8.0 nothing that only a MySQL server could answer.
VERSION: Final = f"8.0.36-Fairlead-{__version__}"
SQL_MODE: Final = "PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,STRICT_ALL_TABLES"
_CHARSET, _COLLATION = "utf8mb4", "utf8mb4_general_ci"
_UNKNOWN: Final = 1193
_READ_ONLY: Final = 1238
_NO_LIMIT: Final = 2**64 - 1

_FIXED: Final[Mapping[str, Value]] = {
    "auto_increment_increment": 1,
    "auto_increment_offset": 1,
    "character_set_database": _CHARSET,
    "character_set_server": _CHARSET,
    "character_set_system": _CHARSET,
    "collation_database": _COLLATION,
    "collation_server": _COLLATION,
    "default_storage_engine": "DuckLake",
    "have_ssl": "YES",
    "have_openssl": "YES",
    "init_connect": "",
    "innodb_read_only": False,
    "last_insert_id": 0,
    "license": "Apache-2.0",
    "lower_case_file_system": True,
    "lower_case_table_names": 2,
    "max_allowed_packet": LONGEST_PAYLOAD,
    "performance_schema": False,
    "protocol_version": 10,
    "query_cache_size": 0,
    "query_cache_type": "OFF",
    "read_only": False,
    "require_secure_transport": True,
    "super_read_only": False,
    "system_time_zone": "UTC",
    "version": VERSION,
    "version_comment": "Fairlead",
    "version_compile_machine": "",
    "version_compile_os": "",
}
_SESSION: Final[Mapping[str, Value]] = {
    "autocommit": True,
    "character_set_client": _CHARSET,
    "character_set_connection": _CHARSET,
    "character_set_results": _CHARSET,
    "collation_connection": _COLLATION,
    "foreign_key_checks": True,
    "group_concat_max_len": 1024,
    "interactive_timeout": 28_800,
    "lock_wait_timeout": 31_536_000,
    "max_execution_time": 0,
    "net_buffer_length": 16_384,
    "net_read_timeout": 30,
    "net_write_timeout": 60,
    "sql_auto_is_null": False,
    "sql_mode": SQL_MODE,
    "sql_notes": True,
    "sql_quote_show_create": True,
    "sql_safe_updates": False,
    "sql_select_limit": _NO_LIMIT,
    "sql_warnings": False,
    "time_zone": "SYSTEM",
    "transaction_isolation": "REPEATABLE-READ",
    "transaction_read_only": False,
    "unique_checks": True,
    "wait_timeout": 28_800,
}
_SYNONYMS: Final = {
    "tx_isolation": "transaction_isolation",
    "tx_read_only": "transaction_read_only",
    "storage_engine": "default_storage_engine",
    "identity": "last_insert_id",
}
_TEXT_SETS: Final = frozenset({"utf8", "utf8mb3", "utf8mb4"})
_ON: Final = frozenset({"1", "ON", "TRUE"})
_OFF: Final = frozenset({"0", "OFF", "FALSE"})
_NO_EFFECT: Final = frozenset(
    {
        *("foreign_key_checks", "group_concat_max_len", "interactive_timeout", "lock_wait_timeout"),
        *("net_buffer_length", "net_read_timeout", "net_write_timeout", "sql_notes", "sql_quote_show_create"),
        *("sql_safe_updates", "sql_warnings", "unique_checks", "wait_timeout"),
    }
)


class Variables:
    """The variables of one session."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = dict(_SESSION)

    @property
    def autocommit(self) -> bool:
        """Whether a statement outside of a transaction is one of its own."""
        return bool(self._values["autocommit"])

    @staticmethod
    def known(name: str) -> bool:
        """Tell whether it is a variable of MySQL."""
        name = _SYNONYMS.get(name, name)
        return name in _SESSION or name in _FIXED

    def get(self, name: str) -> Value:
        """Return a value.

        Raises:
            MysqlError: there is no such variable.
        """
        name = _SYNONYMS.get(name, name)
        if name in self._values:
            return self._values[name]
        if name not in _FIXED:
            raise MysqlError(f"Unknown system variable '{name}'", _UNKNOWN)
        return _FIXED[name]

    def all(self) -> list[tuple[str, Value]]:
        """Return every name with its value, in the order of names."""
        return sorted({**_FIXED, **self._values}.items())

    def set(self, name: str, value: str | None) -> str | None:
        """Set a variable; None is NULL, ``DEFAULT`` the default.

        Returns:
            A warning, where the value has no effect.

        Raises:
            MysqlError: there is no such variable, or it cannot be set.
            InvalidParameter, NotSupported: a value that cannot be honoured.
        """
        name = _SYNONYMS.get(name, name)
        if name not in _SESSION:
            self.get(name)
            raise MysqlError(f"Variable '{name}' is a read only variable", _READ_ONLY)
        default = _SESSION[name]
        if value is not None and value.upper() == "DEFAULT":
            self._values[name] = default
            return None
        stored, warning = self._checked(name, value)
        self._values[name] = stored
        return warning

    def _checked(self, name: str, value: str | None) -> tuple[Value, str | None]:  # noqa: PLR0911  # a table
        if name.startswith(("character_set_", "collation_")):
            return _charset(name, value), None
        if value is None:
            raise InvalidParameter(f"{name} cannot be NULL")
        match name:
            case "sql_mode":
                return SQL_MODE, _mode(value)
            case "transaction_isolation":
                return _isolation(value)
            case "sql_select_limit":
                if not value.isdigit() or int(value) < 2**31 - 1:
                    raise NotSupported("sql_select_limit is not offered", hint="write LIMIT")
                return _NO_LIMIT, None
            case "time_zone":
                return value, None
        if isinstance(_SESSION[name], bool):
            return self._boolean(name, value)
        if not re.fullmatch(r"[0-9]{1,10}", value):
            raise InvalidParameter(f'invalid value for "{name}"', hint="expected a number")
        return int(value), f"{name} has no effect here" if name in _NO_EFFECT else None

    @staticmethod
    def _boolean(name: str, value: str) -> tuple[bool, str | None]:
        if value.upper() not in _ON | _OFF:
            raise InvalidParameter(f'invalid value for "{name}"', hint="expected 1 or 0")
        on = value.upper() in _ON
        if on and name in ("transaction_read_only", "sql_auto_is_null"):
            raise NotSupported(f"{name} is not offered")
        changed = on != _SESSION[name]
        return on, f"{name} has no effect here" if changed and name in _NO_EFFECT else None


def shown(value: Value) -> str:
    """Return a value as SHOW VARIABLES has it."""
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    return "" if value is None else str(value)


def _charset(name: str, value: str | None) -> str | None:
    if value is None:
        if name != "character_set_results":
            raise InvalidParameter(f"{name} cannot be NULL")
        return None
    if value.lower().partition("_")[0] not in _TEXT_SETS | ({"binary"} if name == "character_set_results" else set()):
        raise InvalidParameter(f'the character set "{value}" is not offered', hint="only utf8mb4 is spoken")
    return value.lower()


def _mode(value: str) -> str | None:
    wanted = {mode.strip().upper() for mode in value.split(",")} - {""}
    if "NO_BACKSLASH_ESCAPES" in wanted:
        raise NotSupported(
            "the mode NO_BACKSLASH_ESCAPES is not offered", hint="backslashes escape in '...'; use parameters"
        )
    if wanted <= set(SQL_MODE.split(",")):
        return None
    return f"sql_mode is fixed: {SQL_MODE}"


def _isolation(value: str) -> tuple[str, str | None]:
    folded = value.upper().replace(" ", "-")
    if folded == "REPEATABLE-READ":
        return folded, None
    if folded in ("READ-COMMITTED", "READ-UNCOMMITTED"):
        return "REPEATABLE-READ", "every transaction is isolated by snapshot, which is stronger"
    if folded == "SERIALIZABLE":
        hint = "every transaction is isolated by snapshot"
        raise NotSupported("serializable transactions are not offered", hint=hint)
    raise InvalidParameter('invalid value for "transaction_isolation"')
