"""CREATE and ALTER SECRET (materialize.md, section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.lang.ast import AlterSecret, CreateSecret
from fairlead.lang.secret_expr import secret_value

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor


def create_secret(cursor: Cursor, *, or_replace: bool) -> CreateSecret:
    """Read what follows CREATE [OR REPLACE] SECRET."""
    if or_replace:
        cursor.native_only("OR REPLACE on secrets")
    conflict = cursor.token
    if_not_exists = cursor.flag_if_not_exists()
    if if_not_exists and or_replace:
        cursor.fail(message="OR REPLACE and IF NOT EXISTS cannot be used together", token=conflict)
    if cursor.at_op("(") or cursor.at_op("(", 1) or cursor.at("IN", by=1):
        cursor.unsupported(
            "the engine's own secrets are not used here: credentials never reach the engine",
            "CREATE CONNECTION keeps endpoint and credentials together; CREATE SECRET s AS '...' keeps one value",
        )
    name = cursor.name()
    cursor.expect("AS")
    value = secret_value(cursor)
    comment = None
    if cursor.native and cursor.accept("COMMENT"):
        cursor.accept_op("=")
        comment = cursor.string()
    cursor.end()
    return CreateSecret(name=name, value=value, if_not_exists=if_not_exists, or_replace=or_replace, comment=comment)


def alter_secret(cursor: Cursor) -> AlterSecret:
    """Read what follows ALTER SECRET."""
    if_exists = cursor.flag_if_exists()
    name = cursor.name()
    match cursor.expect_one("AS", "RENAME", "OWNER"):
        case "AS":
            result = AlterSecret(name=name, if_exists=if_exists, value=secret_value(cursor))
        case "RENAME":
            cursor.expect("TO")
            result = AlterSecret(name=name, if_exists=if_exists, rename_to=cursor.identifier())
        case _:
            cursor.expect("TO")
            result = AlterSecret(name=name, if_exists=if_exists, owner_to=cursor.identifier())
    cursor.end()
    return result
