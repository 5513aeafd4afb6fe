"""The numbers of MySQL's protocol that are used here.

Source: MySQL's "Client/Server Protocol": "Capabilities Flags", "Command Phase", "Column Definition Flags", "Status
Flags".
"""

from __future__ import annotations

import enum
from typing import Final

PROTOCOL_VERSION: Final = 10
SCRAMBLE_BYTES: Final = 20
HEADER_BYTES: Final = 4
MAX_PAYLOAD: Final = 0xFFFFFF
UTF8MB4: Final = 45  # utf8mb4_general_ci, which every client knows
BINARY: Final = 63
CACHING_SHA2: Final = "caching_sha2_password"
CLEAR: Final = "mysql_clear_password"


class Capability(enum.IntFlag):
    """What server and client can do."""

    LONG_PASSWORD = 1 << 0
    FOUND_ROWS = 1 << 1
    LONG_FLAG = 1 << 2
    CONNECT_WITH_DB = 1 << 3
    IGNORE_SPACE = 1 << 8
    PROTOCOL_41 = 1 << 9
    INTERACTIVE = 1 << 10
    SSL = 1 << 11
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_STATEMENTS = 1 << 16
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18
    PLUGIN_AUTH = 1 << 19
    CONNECT_ATTRS = 1 << 20
    PLUGIN_AUTH_LENENC = 1 << 21
    DEPRECATE_EOF = 1 << 24


OFFERED: Final = Capability(sum(Capability))


class Status(enum.IntFlag):
    """What an answer says of the session."""

    IN_TRANSACTION = 1 << 0
    AUTOCOMMIT = 1 << 1
    MORE_RESULTS = 1 << 3


class Type(enum.IntEnum):
    """Types of columns and parameters."""

    DECIMAL = 0
    TINY = 1
    SHORT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    NULL = 6
    TIMESTAMP = 7
    LONGLONG = 8
    INT24 = 9
    DATE = 10
    TIME = 11
    DATETIME = 12
    YEAR = 13
    VARCHAR = 15
    JSON = 245
    NEWDECIMAL = 246
    ENUM = 247
    SET = 248
    TINY_BLOB = 249
    MEDIUM_BLOB = 250
    LONG_BLOB = 251
    BLOB = 252
    VAR_STRING = 253
    STRING = 254


class Flag(enum.IntFlag):
    """What a column's definition says beside its type."""

    BLOB = 1 << 4
    BINARY = 1 << 7
