"""SHOW GRANTS in each dialect. The text of a grant is the native GRANT statement, which can be run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.dialects.qualified import qualified
from fairlead.dialects.shape import Row, Table, instant
from fairlead.lang.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.context import Dialect
    from fairlead.dialects.infos import GrantInfo

_NATIVE: Final = (
    *("grantee", "privilege", "object_type", "object", "grantor", "grant_option", "created_time", "statement"),
)
_DATABEND: Final = ("privileges", "object_name", "object_id", "grant_to", "name", "grants")
_CLICKZETTA: Final = (
    *("granted_type", "privilege", "conditions", "granted_on", "object_name", "granted_to", "grantee_name"),
    *("grantor_name", "grant_option", "granted_time"),
)


def show_grants(infos: Sequence[GrantInfo], dialect: Dialect) -> Table:
    """Return SHOW GRANTS."""
    match dialect:
        case "databend":
            return Table(_DATABEND, [_databend(info) for info in infos])
        case "clickzetta":
            return Table(_CLICKZETTA, [_clickzetta(info) for info in infos])
        case "singlestore":
            return Table(("Grants",), [(statement(info),) for info in infos])
        case _:
            return Table(_NATIVE, [_native(info) for info in infos])


def statement(info: GrantInfo) -> str:
    """Return the GRANT statement of one privilege."""
    writer = Writer("native", reveal=True)
    if info.object_kind == "system":
        target = "SYSTEM"
    else:
        name = qualified(info.object_parts or info.object_name.split(".", 2), writer)
        target = f"{info.object_kind.upper()} {name}"
    columns = "" if info.columns is None else f" ({writer.identifiers(info.columns)})"
    rows = "" if info.condition is None else f" WHERE {info.condition}"
    option = " WITH GRANT OPTION" if info.grant_option else ""
    return f"GRANT {info.privilege}{columns} ON {target}{rows} TO {writer.identifier(info.grantee)}{option}"


def _native(info: GrantInfo) -> Row:
    option, created = "yes" if info.grant_option else "no", instant(info.created)
    kind = info.object_kind
    return (info.grantee, info.privilege, kind, info.object_name, info.grantor, option, created, statement(info))


def _databend(info: GrantInfo) -> Row:
    to = "USER" if info.grantee_login else "ROLE"
    return (info.privilege, info.object_name or "*.*", None, to, info.grantee, statement(info))


def _clickzetta(info: GrantInfo) -> Row:
    return (
        "PRIVILEGE",
        info.privilege,
        info.condition or "",
        info.object_kind.upper(),
        info.object_name,
        "USER" if info.grantee_login else "ROLE",
        info.grantee,
        info.grantor,
        "true" if info.grant_option else "false",
        instant(info.created, digits=3),
    )
