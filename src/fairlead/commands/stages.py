"""CREATE, ALTER, SHOW, DESC and LIST of stages: a URL behind a connection, under a name that can be granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairlead.access.rules import Action
from fairlead.commands import connections, records
from fairlead.commands.house import House, Result
from fairlead.connectors import declaration
from fairlead.connectors.locations import parse_url
from fairlead.dialects import errors as texts
from fairlead.dialects import names, render, tables
from fairlead.dialects.formats import check_format
from fairlead.errors import InvalidParameter, NotSupported, SqlSyntaxError
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from fairlead.catalog.records import ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.catalog.transaction import Transaction
    from fairlead.context import Context
    from fairlead.lang import ast

LIST_COLUMNS = ("name", "size", "md5", "last_modified", "creator")


def create(statement: ast.CreateStage, house: House, context: Context) -> Result:
    """Create an external stage. The connection is checked for its right first; nothing is asked of the store."""
    with house.catalog.write() as tx:
        where = names.place(tx, statement.name, context)
        stored = _definition(house, tx, statement, context)
        house.access.require_create(context.principal, "CREATE", names.schema(tx, where.database, where.schema))
        existing = tx.find("stage", where.database, where.name, where.schema)
        if existing is not None and statement.or_replace:
            house.access.require_owner(context.principal, existing)
            newer = tx.new_version(existing.id, definition=stored, references=(stored["connection_id"],))
            tx.set_comment(existing.id, statement.comment or "")
            house.ledger.append(tx, records.ddl(context, "REPLACE STAGE", newer, url=stored["url"]))
            return Result("CREATE STAGE")
        if existing is not None and statement.if_not_exists:
            return Result("CREATE STAGE", notices=(Notice("NOTICE", texts.skipping("stage", where.name)),))
        if existing is not None:
            raise texts.exists("stage", str(where), context.dialect)
        stage = tx.create_object(
            "stage",
            where.database,
            where.schema,
            where.name,
            owner_id=context.principal.user_id,
            definition=stored,
            references=(stored["connection_id"],),
            comment=statement.comment or "",
        )
        house.ledger.append(tx, records.ddl(context, "CREATE STAGE", stage, url=stored["url"]))
    return Result("CREATE STAGE")


def alter(statement: ast.AlterStage, house: House, context: Context) -> Result:
    """Change URL, connection, file format or comment of a stage."""
    with house.catalog.write() as tx:
        stage = names.find(tx, "stage", statement.name, context)
        if stage is None and statement.if_exists:
            return Result("ALTER STAGE", notices=(Notice("NOTICE", texts.absent("stage", str(statement.name))),))
        stage = names.require(tx, "stage", statement.name, context)
        house.access.require_owner(context.principal, stage)
        stored = dict(tx.definition(stage.id))
        if statement.url is not None:
            stored.update(_location(house, tx, statement.url, statement.connection, context, stored["connection_id"]))
        if statement.file_format is not None:
            stored["file_format"] = check_format(statement.file_format)
        newer = tx.new_version(stage.id, definition=stored, references=(stored["connection_id"],))
        if statement.comment is not None:
            tx.set_comment(stage.id, statement.comment)
        house.ledger.append(tx, records.ddl(context, "ALTER STAGE", newer, url=stored["url"]))
    return Result("ALTER STAGE")


def show(statement: ast.ShowObjects, house: House, context: Context) -> Result:
    """SHOW STAGES: those that the caller may read, write or owns."""
    with house.catalog.read() as snapshot:
        scope = names.scope(snapshot, statement.scope, context)
        infos = [
            info(snapshot, stage)
            for stage in snapshot.objects("stage", database=scope)
            if house.access.sees(context.principal, stage) and names.like(stage.name, statement.like)
        ]
    return records.result("SHOW", tables.show_stages(infos))


def describe(statement: ast.DescribeObject, house: House, context: Context) -> Result:
    """DESC STAGE."""
    with house.catalog.read() as snapshot:
        stage = visible(house, snapshot, statement.name, context)
        shown = info(snapshot, stage)
    return records.result("DESCRIBE", tables.describe_stage(shown))


def show_create(snapshot: Snapshot, statement: ast.ShowCreate, house: House, context: Context) -> Result:
    """SHOW CREATE STAGE."""
    stage = visible(house, snapshot, statement.name, context)
    text = render.show_create_stage(info(snapshot, stage))
    return Result("SHOW", ("name", "create_sql"), [(stage.full_name, text)])


def visible(house: House, snapshot: Snapshot, name: ast.Name, context: Context) -> ObjectRecord:
    """Return a stage that the caller may see; one that they may not see is answered like a missing one to them.

    Raises:
        UndefinedObject, PermissionDenied.
    """
    found = names.find(snapshot, "stage", name, context)
    if found is not None and house.access.sees(context.principal, found):
        return found
    where = names.place(snapshot, name, context)
    schema = names.schema(snapshot, where.database, where.schema)
    if found is None and house.access.can(context.principal, "CREATE", "schema", schema.id):
        raise texts.missing("stage", str(where), context.dialect)
    raise texts.denied("stage", str(where), context.dialect)


def list_files(statement: ast.ListStage, house: House, context: Context) -> Result:
    """LIST: the objects below a stage, as the store lists them now."""
    with house.catalog.read() as snapshot:
        stage = visible(house, snapshot, statement.stage, context)
        house.access.require(context.principal, "READ", stage)
        stored = snapshot.definition(stage.id)
    bucket, prefix = parse_url(stored["url"])
    key_prefix = prefix + statement.path.lstrip("/")
    listed = list(house.egress.list(context, stored["connection_id"], bucket, key_prefix, action=Action.LIST))
    wanted = _matching([entry.key.removeprefix(key_prefix).lstrip("/") for entry in listed], statement.pattern)
    rows = [
        (
            entry.key.removeprefix(prefix),
            str(entry.size),
            entry.etag,
            entry.last_modified.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " +0000",
            None,
        )
        for entry, fits in zip(listed, wanted, strict=True)
        if fits
    ]
    return Result("LIST", LIST_COLUMNS, rows)


def info(snapshot: Snapshot, stage: ObjectRecord) -> tables.StageInfo:
    """Return what the tables show of a stage: the connection's values are those it has now."""
    stored = snapshot.definition(stage.id)
    connection = snapshot.get(stored["connection_id"])
    return tables.StageInfo(
        name=stage.name,
        database=stage.database,
        schema=stage.schema,
        url=stored["url"],
        file_format=stored.get("file_format", {}),
        connection=connection.full_name,
        connection_name=connection.name,
        connection_definition=connections.definition(snapshot, connection),
        owner=records.owner_name(snapshot, stage),
        created=stage.created_at,
        comment=stage.comment,
    )


def _definition(house: House, tx: Transaction, statement: ast.CreateStage, context: Context) -> dict[str, Any]:
    if statement.url is None:
        message = "a stage without a URL would keep its files in the gateway, which is not offered yet"
        raise NotSupported(message, hint="write URL = 's3://bucket/path/' CONNECTION = (CONNECTION_NAME = 'name')")
    stored = _location(house, tx, statement.url, statement.connection, context, None, inline=statement.inline)
    stored["file_format"] = check_format(statement.file_format)
    return stored


def _location(
    house: House,
    tx: Transaction,
    url: str,
    connection: ast.Name | None,
    context: Context,
    current: int | None,
    *,
    inline: tuple[ast.Option, ...] = (),
) -> dict[str, Any]:
    """Check right, URL and scheme, in this order, so that nothing is learnt about a connection one may not use."""
    if connection is not None and inline:
        message = "connection_name can not be used with other connection options"
        raise InvalidParameter(message)
    if inline:
        message = "a stage needs a named connection; credentials written into a stage are not accepted"
        raise NotSupported(message, hint="CREATE CONNECTION first, then CONNECTION = (CONNECTION_NAME = 'name')")
    if connection is None and current is None:
        message = "an external stage needs CONNECTION = (CONNECTION_NAME = '...')"
        raise InvalidParameter(message, hint="SHOW CONNECTIONS lists those that you may use")
    used = connections.visible(house, tx, connection, context) if connection is not None else tx.get(current or 0)
    house.access.require(context.principal, "USAGE", used)
    path = url.split("://", 1)[-1].partition("/")[2]
    if path and not path.endswith("/"):
        message = f"path in URL must end with '/' when CREATE STAGE. Got '/{path}'."
        raise InvalidParameter(message, hint=f"write '{url}/'")
    kind = connections.definition(tx, used).kind
    scheme = url.split("://", 1)[0]
    if scheme not in declaration.connector(kind).schemes:
        message = f"protocol from connection_name={used.name} ({kind}) not match with uri protocol ({scheme})."
        raise InvalidParameter(message)
    parse_url(url)
    return {"url": url if url.endswith("/") else url + "/", "connection_id": used.id}


def _matching(paths: list[str], pattern: str | None) -> list[bool]:
    """Say which paths a user's regular expression matches as a whole; RE2, which cannot be made to take for ever."""
    if pattern is None:
        return [True] * len(paths)
    import pyarrow as pa  # noqa: PLC0415  # slow to import, and only LIST with a PATTERN needs it
    import pyarrow.compute as pc  # noqa: PLC0415  # the same

    try:
        matched = pc.match_substring_regex(pa.array(paths, pa.string()), pattern=f"^(?:{pattern})$")
    except pa.ArrowInvalid as error:
        message = f"Pattern format invalid, got:{pattern}, error:{error}"
        raise SqlSyntaxError(message) from None
    return [bool(one) for one in matched.to_pylist()]
