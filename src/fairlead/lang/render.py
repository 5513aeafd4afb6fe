"""Statements to canonical text: ``parse(render(s, secrets="reveal")) == s`` for every statement.

Spacing, the order of clauses and the quoting are always the same. With ``secrets="mask"`` every literal of an option is
printed as ``'<redacted>'``, because nothing here knows which options are secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fairlead.lang import ast, render_relations, render_session
from fairlead.lang.masking import redact
from fairlead.lang.render_connections import alter_connection, create_connection
from fairlead.lang.render_exports import copy_to_store, select_into
from fairlead.lang.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.context import Dialect


def render(
    statement: ast.Statement, dialect: Dialect = "native", *, secrets: Literal["mask", "reveal"] = "mask"
) -> str:
    """Return a statement as text, without a closing semicolon.

    Args:
        statement: what ``parse`` returned, or one built by hand.
        dialect: whose quoting is used; the text is read back with the same one.
        secrets: ``mask`` prints the mask for each literal that may be secret, ``reveal`` the literal itself.
    """
    writer = Writer(dialect, reveal=secrets == "reveal")
    return _WRITERS[type(statement)](statement, writer)


def _words(*parts: str | bool | None) -> str:
    return " ".join(part for part in parts if part and part is not True)


def _if(flag: bool, text: str) -> str:
    return text if flag else ""


# --- secrets and objects ---------------------------------------------------------------------------------------------


def _create_secret(s: ast.CreateSecret, w: Writer) -> str:
    return _words(
        "CREATE",
        _if(s.or_replace, "OR REPLACE"),
        "SECRET",
        _if(s.if_not_exists, "IF NOT EXISTS"),
        w.name(s.name),
        f"AS {w.secret(s.value)}",
        s.comment is not None and f"COMMENT {w.string(s.comment)}",
    )


def _alter_secret(s: ast.AlterSecret, w: Writer) -> str:
    change = ""
    if s.value is not None:
        change = f"AS {w.secret(s.value)}"
    elif s.rename_to is not None:
        change = f"RENAME TO {w.identifier(s.rename_to)}"
    elif s.owner_to is not None:
        change = f"OWNER TO {w.identifier(s.owner_to)}"
    return _words("ALTER SECRET", _if(s.if_exists, "IF EXISTS"), w.name(s.name), change)


def _kind(kind: str, noun: str) -> str:
    return noun if kind == "connection" else kind.upper()


def _drop(s: ast.DropObjects, w: Writer) -> str:
    names = ", ".join(map(w.name, s.names))
    return _words("DROP", _kind(s.kind, s.noun), _if(s.if_exists, "IF EXISTS"), names, _if(s.cascade, "CASCADE"))


def _show_objects(s: ast.ShowObjects, w: Writer) -> str:
    return _words(
        "SHOW",
        s.category,
        f"{_kind(s.kind, s.noun)}S",
        s.scope is not None and f"{'ON' if s.noun == 'LINK' else 'FROM'} {w.identifier(s.scope)}",
        s.like is not None and f"LIKE {w.string(s.like)}",
    )


def _describe(s: ast.DescribeObject, w: Writer) -> str:
    return _words("DESCRIBE", _kind(s.kind, s.noun), _if(s.extended, "EXTENDED"), w.name(s.name))


def _show_create(s: ast.ShowCreate, w: Writer) -> str:
    return _words("SHOW", _if(s.redacted, "REDACTED"), "CREATE", _kind(s.kind, s.noun), w.name(s.name))


def _show_dependents(s: ast.ShowDependents, w: Writer) -> str:
    return f"SHOW DEPENDENTS OF {_kind(s.kind, s.noun)} {w.name(s.name)}"


def _validate(s: ast.ValidateConnection, w: Writer) -> str:
    return f"VALIDATE {s.noun} {w.name(s.name)}"


# --- stages ----------------------------------------------------------------------------------------------------------


def _stage_clauses(s: ast.CreateStage | ast.AlterStage, w: Writer) -> str:
    options = [] if s.connection is None else [f"CONNECTION_NAME = {w.name_in_string(s.connection)}"]
    options += [w.option(option) for option in s.inline]
    formats = s.file_format or ()
    return _words(
        s.url is not None and f"URL = {w.string(s.url)}",
        bool(options) and f"CONNECTION = ({', '.join(options)})",
        bool(formats) and f"FILE_FORMAT = ({', '.join(w.plain_option(option) for option in formats)})",
        s.comment is not None and f"COMMENT = {w.string(s.comment)}",
    )


def _create_stage(s: ast.CreateStage, w: Writer) -> str:
    return _words(
        "CREATE",
        _if(s.or_replace, "OR REPLACE"),
        "STAGE",
        _if(s.if_not_exists, "IF NOT EXISTS"),
        w.name(s.name),
        _stage_clauses(s, w),
    )


def _alter_stage(s: ast.AlterStage, w: Writer) -> str:
    head = _words("ALTER STAGE", _if(s.if_exists, "IF EXISTS"), w.name(s.name))
    if s.file_format == ():
        return _words(head, "UNSET FILE_FORMAT", _if(s.comment == "", "COMMENT"))
    return f"{head} SET {_stage_clauses(s, w)}"


def _list(s: ast.ListStage, w: Writer) -> str:
    place = f"@{w.name_in_reference(s.stage)}" + (f"/{s.path}" if s.path else "")
    return _words(f"LIST {w.string(place)}", s.pattern is not None and f"PATTERN = {w.string(s.pattern)}")


# --- people and rights -----------------------------------------------------------------------------------------------


def _role_kind(login: bool) -> str:
    return "USER" if login else "ROLE"


def _create_role(s: ast.CreateRole, w: Writer) -> str:
    return _words(
        "CREATE",
        _role_kind(s.login),
        _if(s.if_not_exists, "IF NOT EXISTS"),
        w.identifier(s.name),
        s.password is not None and f"PASSWORD {w.sensitive(s.password)}",
        _if(s.superuser, "SUPERUSER"),
    )


def _alter_role(s: ast.AlterRole, w: Writer) -> str:
    superuser = {None: "", True: "SUPERUSER", False: "NOSUPERUSER"}[s.superuser]
    return _words(
        "ALTER",
        _role_kind(s.login),
        w.identifier(s.name),
        s.password is not None and f"PASSWORD {w.sensitive(s.password)}",
        superuser,
        s.rename_to is not None and f"RENAME TO {w.identifier(s.rename_to)}",
    )


def _drop_role(s: ast.DropRole, w: Writer) -> str:
    return _words("DROP", _role_kind(s.login), _if(s.if_exists, "IF EXISTS"), w.identifiers(s.names))


def _target(target: ast.GrantTarget, w: Writer) -> str:
    if target.kind == "system":
        return "SYSTEM"
    word = target.kind.upper()
    names = ", ".join(map(w.name, target.names))
    if target.all_in:
        return _words(f"ALL {word}S", bool(names) and f"IN {target.within.upper()} {names}")
    return f"{word} {names}"


def _privileges(s: ast.Grant | ast.Revoke, w: Writer) -> str:
    return _words(", ".join(s.privileges), bool(s.columns) and f"({w.identifiers(s.columns)})")


def _grant(s: ast.Grant, w: Writer) -> str:
    return _words(
        f"GRANT {_privileges(s, w)} ON {_target(s.target, w)}",
        s.condition is not None and f"WHERE {render_relations.condition(s.condition, w)}",
        f"TO {w.identifiers(s.grantees)}",
        _if(s.grant_option, "WITH GRANT OPTION"),
    )


def _revoke(s: ast.Revoke, w: Writer) -> str:
    return _words(
        "REVOKE",
        _if(s.grant_option_only, "GRANT OPTION FOR"),
        f"{_privileges(s, w)} ON {_target(s.target, w)} FROM {w.identifiers(s.grantees)}",
    )


def _grant_role(s: ast.GrantRole, w: Writer) -> str:
    return f"GRANT {w.identifiers(s.roles)} TO {w.identifiers(s.grantees)}"


def _revoke_role(s: ast.RevokeRole, w: Writer) -> str:
    return f"REVOKE {w.identifiers(s.roles)} FROM {w.identifiers(s.grantees)}"


def _show_grants(s: ast.ShowGrants, w: Writer) -> str:
    return _words(
        "SHOW GRANTS",
        s.grantee is not None and f"FOR {w.identifier(s.grantee)}",
        s.on is not None and f"ON {_target(s.on, w)}",
    )


# --- settings and the rest -------------------------------------------------------------------------------------------


def _set(s: ast.SetVariable, w: Writer) -> str:
    value = "DEFAULT" if s.value is None else w.string(s.value)
    scope = "" if s.scope == "session" else s.scope.upper()
    return _words("SET", scope, f"{w.setting(s.name)} = {value}")


def _use(s: ast.Use, w: Writer) -> str:
    return f"USE {w.name(ast.Name((s.database,) if s.schema is None else (s.database, s.schema)))}"


def _discard(s: ast.Discard, w: Writer) -> str:
    kind, _, name = s.what.partition(":")
    if kind == "statements":
        return "DEALLOCATE ALL"
    return f"DEALLOCATE {w.identifier(name)}" if kind == "statement" else f"DISCARD {kind}"


def _data(s: ast.DataStatement, w: Writer) -> str:
    return s.text if w.reveal else redact(s.text, w.dialect)


def _copy_from_stdin(s: ast.CopyFromStdin, _: Writer) -> str:
    # Read under the engine's rules of quoting in every dialect; this one's are the same, and keep the case of names.
    w = Writer("materialize", reveal=True)
    options = [
        *_copy_options(s, w),
        s.header != "no" and f"HEADER {'match' if s.header == 'match' else 'true'}",
        bool(s.force_null) and f"FORCE_NULL {_forced(s.force_null, w)}",
        bool(s.force_not_null) and f"FORCE_NOT_NULL {_forced(s.force_not_null, w)}",
    ]
    columns = f" ({w.identifiers(s.columns)})" if s.columns else ""
    return f"COPY {w.name(s.table)}{columns} FROM STDIN WITH ({', '.join(o for o in options if o)})"


def _copy_to_stdout(s: ast.CopyToStdout, writer: Writer) -> str:
    w = Writer("materialize", reveal=True)
    options = [
        *_copy_options(s, w),
        s.header and "HEADER true",
        bool(s.force_quote) and f"FORCE_QUOTE {_forced(s.force_quote, w)}",
    ]
    return f"COPY ({_data(s.query, writer)}) TO STDOUT WITH ({', '.join(o for o in options if o)})"


def _copy_options(s: ast.CopyFromStdin | ast.CopyToStdout, w: Writer) -> list[str]:
    options = [f"FORMAT {s.format}"]
    if s.format != "binary":
        options += [f"DELIMITER {w.string(s.delimiter)}", f"NULL {w.string(s.null)}"]
    if s.format == "csv":
        options += [f"QUOTE {w.string(s.quote)}", f"ESCAPE {w.string(s.escape)}"]
    return options


def _forced(columns: tuple[str, ...], w: Writer) -> str:
    return "*" if columns == ("*",) else f"({w.identifiers(columns)})"


def _all_or(name: str | None, w: Writer) -> str:
    return "ALL" if name is None else w.setting(name)


_WRITERS: Final[dict[type[ast.Statement], Callable[..., str]]] = {
    ast.CreateSecret: _create_secret,
    ast.AlterSecret: _alter_secret,
    ast.DropObjects: _drop,
    ast.ShowObjects: _show_objects,
    ast.DescribeObject: _describe,
    ast.ShowCreate: _show_create,
    ast.ShowDependents: _show_dependents,
    ast.ValidateConnection: _validate,
    ast.CreateConnection: create_connection,
    ast.AlterConnection: alter_connection,
    ast.CreateStage: _create_stage,
    ast.AlterStage: _alter_stage,
    ast.ListStage: _list,
    ast.CreateRole: _create_role,
    ast.AlterRole: _alter_role,
    ast.DropRole: _drop_role,
    ast.Grant: _grant,
    ast.Revoke: _revoke,
    ast.GrantRole: _grant_role,
    ast.RevokeRole: _revoke_role,
    ast.ShowGrants: _show_grants,
    ast.ShowRoles: lambda s, _: "SHOW USERS" if s.login else "SHOW ROLES",
    ast.ShowLedger: lambda s, _: f"SHOW LEDGER LIMIT {s.limit}",
    ast.ShowSnapshots: render_relations.show_snapshots,
    ast.VerifyLedger: lambda _, __: "VERIFY LEDGER",
    ast.Vacuum: lambda s, w: _words("VACUUM", s.database is not None and w.identifier(s.database)),
    ast.CreateDatabase: render_relations.create_database,
    ast.CreateView: render_relations.create_view,
    ast.AlterObject: render_relations.alter_object,
    ast.ShowTables: render_relations.show_tables,
    ast.AlterDefaultPrivileges: render_relations.alter_default_privileges,
    ast.ShowDefaultPrivileges: lambda _, __: "SHOW DEFAULT PRIVILEGES",
    ast.DropDatabase: lambda s, w: _words(
        "DROP DATABASE", _if(s.if_exists, "IF EXISTS"), w.identifier(s.name), _if(s.cascade, "CASCADE")
    ),
    ast.ShowDatabases: lambda _, __: "SHOW DATABASES",
    ast.SetConfig: render_session.set_config,
    ast.SetTransaction: render_session.set_transaction,
    ast.Savepoint: render_session.savepoint,
    ast.Prepare: render_session.prepare,
    ast.Execute: render_session.execute,
    ast.DeclareCursor: render_session.declare,
    ast.Fetch: render_session.fetch,
    ast.CloseCursor: render_session.close,
    ast.Use: _use,
    ast.SetVariable: _set,
    ast.ResetVariable: lambda s, w: f"RESET {_all_or(s.name, w)}",
    ast.ShowVariable: lambda s, w: f"SHOW {_all_or(s.name, w)}",
    ast.Transaction: render_session.transaction,
    ast.Discard: _discard,
    ast.DataStatement: _data,
    ast.CopyFromStdin: _copy_from_stdin,
    ast.CopyToStdout: _copy_to_stdout,
    ast.SelectInto: select_into,
    ast.CopyToStore: copy_to_store,
    ast.Empty: lambda _, __: "",
}
