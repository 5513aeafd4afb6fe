"""The shapes of SHOW and DESC: columns and rows from plain records, native or as a strict dialect prints them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from fairlead.connectors.declaration import Masking, OptionSpec
from fairlead.connectors.locations import parse_url
from fairlead.dialects import links, masks
from fairlead.dialects.grants import show_grants
from fairlead.dialects.infos import ConnectionInfo, GrantInfo, SecretInfo, StageInfo
from fairlead.dialects.qualified import qualified
from fairlead.dialects.shape import Row, Table, instant
from fairlead.dialects.stored import FromSecret, Joined, OptionValue, Plain
from fairlead.lang.writer import Writer
from fairlead.sensitive import MASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.context import Dialect
    from fairlead.dialects.stored import Definition
    from fairlead.lang.ast import Noun

__all__ = [
    "ConnectionInfo",
    "GrantInfo",
    "SecretInfo",
    "StageInfo",
    "Table",
    "describe_connection",
    "describe_stage",
    "show_connections",
    "show_create",
    "show_grants",
    "show_links",
    "show_secrets",
    "show_stages",
]

_NATIVE: Final = ("name", "category", "type", "enabled", "created_time", "owner", "database", "schema", "comment")
_DATABEND: Final = ("name", "storage_type", "storage_params")
_CLICKZETTA: Final = ("name", "category", "type", "enabled", "created_time")
_STAGE: Final = (
    *("name", "stage_type", "storage_type", "url", "endpoint", "has_credentials", "has_encryption_key"),
    *("storage_params", "file_format_options", "creator", "created_on", "comment", "owner"),
)
# Keys of storage_params in databend.md 6.3, with the canonical option behind each; "" has none here.
_STAGE_PARAMS: Final = {
    "region": "region",
    "endpoint_url": "endpoint",
    "role_arn": "role_arn",
    "storage_class": "",
    "network_config": "",
    "access_key_id": "access_key_id",
    "secret_access_key": "secret_access_key",
    "security_token": "session_token",
    "master_key": "master_key",
    "external_id": "external_id",
}


def show_connections(infos: Sequence[ConnectionInfo], dialect: Dialect) -> Table:
    """Return SHOW CONNECTIONS, in the given order; Databend sorts by name."""
    match dialect:
        case "materialize":
            return Table(("name", "type", "comment"), [(i.name, _type(i, dialect), i.comment) for i in infos])
        case "databend":
            return Table(_DATABEND, [_databend_row(i) for i in sorted(infos, key=lambda i: i.name)])
        case "clickzetta":
            return Table(
                _CLICKZETTA,
                [(i.name, i.category, _type(i, dialect), i.state, instant(i.created, digits=3)) for i in infos],
            )
        case _:
            return Table(_NATIVE, [_native_row(i) for i in infos])


def show_links(infos: Sequence[ConnectionInfo]) -> Table:
    """Return SHOW LINKS: the same in every dialect (singlestore.md section 5)."""
    rows: list[Row] = [
        (i.name, _type(i, "singlestore"), i.comment, links.config_json(i.definition, i.connector)) for i in infos
    ]
    return Table(("Link", "Type", "Description", "Config"), rows)


def describe_connection(info: ConnectionInfo, dialect: Dialect, *, extended: bool = False) -> Table:
    """Return DESC CONNECTION: one fact per row, natively and in ClickZetta; one row in Databend."""
    if dialect == "databend":
        return Table(_DATABEND, [_databend_row(info)])
    rows = _clickzetta_facts(info, extended=extended) if dialect == "clickzetta" else _facts(info, extended=extended)
    return Table(("info_name", "info_value"), rows)


def show_create(info: ConnectionInfo, text: str, noun: Noun, dialect: Dialect) -> Table:
    """Return SHOW CREATE CONNECTION or LINK around its text."""
    if noun == "LINK":
        return Table(("Link Name", "Create Link"), [(info.name, text)])
    full = qualified((info.database, info.schema, info.name), Writer(dialect, reveal=True))
    name = info.name if dialect == "clickzetta" else full
    return Table(("name", "create_sql"), [(name, text)])


def show_secrets(infos: Sequence[SecretInfo], dialect: Dialect) -> Table:
    """Return SHOW SECRETS: names and comments, never a value, in any form."""
    if dialect == "materialize":
        return Table(("name", "comment"), [(i.name, i.comment) for i in infos])
    columns = ("name", "comment", "owner", "database", "schema", "version", "created_time", "last_modified_time")
    rows: list[Row] = [
        (i.name, i.comment, i.owner, i.database, i.schema, str(i.version), instant(i.created), instant(i.modified))
        for i in infos
    ]
    return Table(columns, rows)


def show_stages(infos: Sequence[StageInfo]) -> Table:
    """Return SHOW STAGES: the 13 columns of databend.md 6.3, in every dialect."""
    return Table(_STAGE, [_stage_row(info) for info in infos])


def describe_stage(info: StageInfo) -> Table:
    """Return DESC STAGE: the row that SHOW STAGES has."""
    return show_stages([info])


# --- rows -------------------------------------------------------------------------------------------------------------


def _type(info: ConnectionInfo, dialect: Dialect) -> str:
    connector = info.connector
    if dialect == "native":
        return connector.kind.upper()
    return connector.shown_types.get(dialect, connector.kind.upper())


def _native_row(i: ConnectionInfo) -> Row:
    kind, created = _type(i, "native"), instant(i.created, digits=3)
    return (i.name, i.category, kind, i.state, created, i.owner, i.database, i.schema, i.comment)


def _facts(info: ConnectionInfo, *, extended: bool) -> list[Row]:
    rows: list[Row] = [
        ("name", info.name),
        ("category", info.category),
        ("type", _type(info, "native")),
        ("enabled", info.state),
        ("owner", info.owner),
        ("created_time", instant(info.created, iso=True, digits=3)),
        ("last_modified_time", instant(info.modified, iso=True, digits=3)),
        ("comment", info.comment),
        ("version", str(info.version)),
    ]
    if extended:
        definition = info.definition
        rows += [("database", info.database), ("schema", info.schema), ("spelling", definition.spelling)]
        rows.append(("destination", info.connector.destination(definition.given())))
    rows += [(spec.name, _native_value(value)) for spec, value in _options(info)]
    return rows


def _native_value(value: OptionValue) -> str:
    match value:
        case Plain(text=text):
            return text
        case FromSecret(name=name):
            return f"SECRET {name}"
        case Joined(parts=parts):
            return " || ".join(_native_value(part) for part in parts)
        case _:
            return MASK


def _options(info: ConnectionInfo) -> list[tuple[OptionSpec, OptionValue]]:
    set_ = info.definition.options
    return [(spec, set_[spec.name]) for spec in info.connector.options if spec.name in set_]


# --- ClickZetta -------------------------------------------------------------------------------------------------------


def _clickzetta_facts(info: ConnectionInfo, *, extended: bool) -> list[Row]:
    """Return the rows of clickzetta.md section 3, in the order of its two pages."""
    times: list[Row] = [
        ("created_time", instant(info.created, iso=True, digits=3)),
        ("last_modified_time", instant(info.modified, iso=True, digits=3)),
    ]
    kind: list[Row] = [("type", _type(info, "clickzetta")), ("enabled", info.state)]
    creator, name = ("creator", info.owner), ("name", info.name)
    if extended:
        rows: list[Row] = [name, creator, *times, ("comment", info.comment), ("properties", "()"), *kind]
    else:
        rows = [name, *kind, creator, *times, *([("comment", info.comment)] if info.comment else [])]
    rows += _clickzetta_parameters(info)
    if extended:
        rows += [("category", info.category), ("owner", info.owner), ("version", str(info.version))]
    return rows


def _clickzetta_parameters(info: ConnectionInfo) -> list[Row]:
    rows: list[Row] = []
    for spec, value in _options(info):
        words = spec.words.get("clickzetta")
        if words is None or (spec.masking is Masking.SECRET and not isinstance(value, Plain)):
            continue
        shown = value.text if isinstance(value, Plain) else ""
        if spec.masking is Masking.IDENTITY:
            shown = masks.identifier(shown)
        rows.append((words.shown or words.name, shown or MASK))
    return rows


# --- Databend ---------------------------------------------------------------------------------------------------------


def _databend_row(info: ConnectionInfo) -> Row:
    pairs: dict[str, str] = {}
    for spec, value in _options(info):
        words = spec.words.get("databend")
        if words is not None:
            pairs[words.name] = _databend_value(spec, value)
    params = " ".join(f"{key}={pairs[key]}" for key in sorted(pairs))
    return (info.name, info.connector.shown_types.get("databend", info.connector.kind), params)


def _databend_value(spec: OptionSpec, value: OptionValue) -> str:
    if spec.masking is Masking.SECRET or not isinstance(value, Plain):
        return masks.DATABEND
    if spec.words["databend"].inverted:
        return masks.short_form("false" if value.text == "true" else "true")
    return masks.short_form(value.text)


def _stage_row(info: StageInfo) -> Row:
    definition = info.connection_definition
    given = definition.given()
    return (
        info.name,
        "External",
        definition.kind,
        info.url,
        given.get("endpoint"),
        "true" if any(name in given for name in ("access_key_id", "role_arn")) else "false",
        "true" if "master_key" in given else "false",
        json.dumps(_stage_params(info, definition), separators=(",", ":"), ensure_ascii=False),
        json.dumps(dict(info.file_format), separators=(",", ":"), ensure_ascii=False),
        info.owner,
        instant(info.created),
        info.comment,
        info.owner,
    )


def _stage_params(info: StageInfo, definition: Definition) -> dict[str, object]:
    bucket, root = parse_url(info.url)
    params: dict[str, object] = {"type": definition.kind, "bucket": bucket, "root": f"/{root}"}
    for key, name in _STAGE_PARAMS.items():
        value = definition.options.get(name)
        if value is None:
            params[key] = ""
        elif not isinstance(value, Plain) or name == "external_id":
            params[key] = masks.DATABEND
        else:
            params[key] = masks.short_form(value.text) if name == "access_key_id" else value.text
    params["enable_virtual_host_style"] = definition.options.get("path_style") == Plain("false")
    params["connection_name"] = info.connection_name
    return params
