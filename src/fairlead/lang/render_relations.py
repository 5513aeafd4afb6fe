"""Canonical text of statements about schemas, tables and views, and of default privileges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.lang.masking import redact

if TYPE_CHECKING:
    from fairlead.lang import ast
    from fairlead.lang.writer import Writer


def create_view(s: ast.CreateView, w: Writer) -> str:
    """Return CREATE VIEW."""
    words = ["CREATE", "OR REPLACE" if s.or_replace else "", "VIEW", "IF NOT EXISTS" if s.if_not_exists else ""]
    columns = f"({w.identifiers(s.columns)})" if s.columns else ""
    query = s.query if w.reveal else redact(s.query, w.dialect)
    return " ".join(word for word in (*words, w.name(s.name), columns, "AS", query) if word)


def alter_object(s: ast.AlterObject, w: Writer) -> str:
    """Return ALTER ... RENAME TO or OWNER TO, or COMMENT ON VIEW."""
    if s.comment is not None:
        return f"COMMENT ON {s.kind.upper()} {w.name(s.name)} IS {w.string(s.comment)}"
    head = f"ALTER {s.kind.upper()} {'IF EXISTS ' if s.if_exists else ''}{w.name(s.name)}"
    if s.rename_to is not None:
        return f"{head} RENAME TO {w.identifier(s.rename_to)}"
    return f"{head} OWNER TO {w.identifier(s.owner_to or '')}"


def show_snapshots(s: ast.ShowSnapshots, w: Writer) -> str:
    """SHOW SNAPSHOTS."""
    scope = f" IN {w.identifier(s.scope)}" if s.scope is not None else ""
    return f"SHOW SNAPSHOTS{scope} LIMIT {s.limit}"


def show_tables(s: ast.ShowTables, w: Writer) -> str:
    """Return SHOW TABLES, VIEWS or SCHEMAS."""
    scope = "" if s.scope is None else f" FROM {w.name(s.scope)}"
    like = "" if s.like is None else f" LIKE {w.string(s.like)}"
    return f"SHOW {s.kind.upper()}S{scope}{like}"


def create_database(s: ast.CreateDatabase, w: Writer) -> str:
    """Return CREATE DATABASE."""
    words = ["CREATE DATABASE", "IF NOT EXISTS" if s.if_not_exists else "", w.identifier(s.name)]
    if s.data_path is not None:
        words.append(f"DATA PATH {w.string(s.data_path)}")
    if s.connection is not None:
        words.append(f"CONNECTION = {w.name(s.connection)}")
    return " ".join(word for word in words if word)


def alter_default_privileges(s: ast.AlterDefaultPrivileges, w: Writer) -> str:
    """Return ALTER DEFAULT PRIVILEGES."""
    words = ["ALTER DEFAULT PRIVILEGES"]
    if s.roles:
        words.append(f"FOR ROLE {w.identifiers(s.roles)}")
    if s.schemas:
        words.append(f"IN SCHEMA {', '.join(map(w.name, s.schemas))}")
    verb, to = ("REVOKE", "FROM") if s.revoke else ("GRANT", "TO")
    words.append(f"{verb} {', '.join(s.privileges)} ON TABLES {to} {w.identifiers(s.grantees)}")
    return " ".join(words) + (" WITH GRANT OPTION" if s.grant_option else "")


def condition(text: str, w: Writer) -> str:
    """Return the condition of a narrowed grant; what looks like a credential in it is hidden."""
    return text if w.reveal else redact(f"SELECT {text}", w.dialect).removeprefix("SELECT ")
