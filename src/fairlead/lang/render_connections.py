"""CREATE and ALTER of connections and links as text, each in the spelling it was written in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fairlead.lang.ast import (
    AlterAction,
    AlterConnection,
    CreateConnection,
    ListOf,
    Option,
    OwnerTo,
    RenameTo,
    ReplaceClause,
    SecretRef,
    SetComment,
    SetEnabled,
    SetOptions,
    Text,
    UnsetOptions,
    Value,
)
from fairlead.sensitive import MASK

if TYPE_CHECKING:
    from fairlead.lang.writer import Writer


def create_connection(s: CreateConnection, w: Writer) -> str:
    """Return CREATE CONNECTION or CREATE LINK."""
    head = " ".join(
        part
        for part in (
            "CREATE",
            "OR REPLACE" if s.or_replace else "",
            s.category or "",
            "LINK" if s.spelling == "singlestore" else "CONNECTION",
            "IF NOT EXISTS" if s.if_not_exists else "",
            w.name(s.name),
        )
        if part
    )
    match s.spelling:
        case "materialize":
            return f"{head} TO {s.type_word} ({_list(s.options, w)}){_validate(s.validate)}"
        case "databend":
            options = "".join(f" {w.option(option)}" for option in s.options)
            return f"{head} STORAGE_TYPE = {w.string(s.type_word.lower())}{options}"
        case "singlestore":
            return f"{head} AS {s.type_word}{_link_clauses(s, w)}"
        case _:
            return f"{head} TYPE {s.type_word}{_parameters(s, w)}"


def _list(options: tuple[Option, ...], w: Writer) -> str:
    return ", ".join(w.option(option) for option in options)


def _validate(validate: bool | None) -> str:
    return "" if validate is None else f" WITH (VALIDATE = {'TRUE' if validate else 'FALSE'})"


def _parameters(s: CreateConnection, w: Writer) -> str:
    plain = "".join(f" {w.option(option, bracket='[]')}" for option in s.options if option.clause is None)
    properties = ", ".join(
        f"{w.string(option.name)} = {'STORED' if option.value is None else w.value(option.value)}"
        for option in s.options
        if option.clause == "PROPERTIES"
    )
    inside = f" PROPERTIES ({properties})" if "PROPERTIES" in s.clauses else ""
    comment = "" if s.comment is None else f" COMMENT {w.string(s.comment)}"
    return plain + inside + comment


# --- SingleStore -----------------------------------------------------------------------------------------------------


def _link_clauses(s: CreateConnection, w: Writer) -> str:
    text = ""
    for clause in s.clauses:
        if clause == "CREDENTIALS" and s.credentials_stored:
            text += " CREDENTIALS STORED"
        elif clause == "CONFIG" and s.config_text is not None and w.reveal:
            text += f" CONFIG {w.string(s.config_text)}"
        else:
            text += f" {clause} {_json(tuple(o for o in s.options if o.clause == clause), w)}"
    return text if s.comment is None else f"{text} DESCRIPTION {w.string(s.comment)}"


def _json(options: tuple[Option, ...], w: Writer) -> str:
    inside = ",".join(f"{json.dumps(option.name)}:{_json_value(option.value, w)}" for option in options)
    return w.string("{" + inside + "}")


def _json_value(value: Value | None, w: Writer) -> str:
    match value:
        case SecretRef(name):
            return json.dumps({"secret": w.name_in_reference(name)}, separators=(",", ":"))
        case ListOf(items):
            return "[" + ",".join(_json_value(item, w) for item in items) + "]"
        case Text(raw, kind) if w.reveal:
            return json.dumps(raw.reveal()) if kind in {"string", "word"} else raw.reveal()
        case _:
            return json.dumps(MASK)


# --- ALTER -----------------------------------------------------------------------------------------------------------


def alter_connection(s: AlterConnection, w: Writer) -> str:
    """Return ALTER CONNECTION or ALTER LINK."""
    head = f"ALTER {s.noun} {'IF EXISTS ' if s.if_exists else ''}{w.name(s.name)}"
    if s.noun == "LINK":
        return f"{head} {' '.join(_link_action(action, w) for action in s.actions)}"
    return f"{head} {', '.join(_action(action, w) for action in s.actions)}{_validate(s.validate)}"


def _link_action(action: AlterAction, w: Writer) -> str:
    match action:
        case SetOptions((option,)):
            value = "STORED" if option.value is None else w.value(option.value)
            return f"SET {option.clause} ::{_key(option.name)} = {value}"
        case ReplaceClause(clause, options, text):
            whole = w.string(text) if text is not None and w.reveal else _json(options, w)
            return f"SET {clause} {whole}"
        case SetComment(text):
            return f"SET DESCRIPTION {w.string(text)}"
        case _:
            return _action(action, w)


def _key(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _action(action: AlterAction, w: Writer) -> str:  # noqa: PLR0911  # a table
    match action:
        case SetOptions(options):
            return f"SET ({_list(options, w)})"
        case UnsetOptions(names):
            return f"RESET ({', '.join(names)})"
        case RenameTo(name):
            return f"RENAME TO {w.identifier(name)}"
        case OwnerTo(role):
            return f"OWNER TO {w.identifier(role)}"
        case SetComment(text):
            return f"SET COMMENT {w.string(text)}"
        case SetEnabled(enabled):
            return "ENABLE" if enabled else "DISABLE"
        case ReplaceClause(clause, options, text):
            return f"SET {clause} {w.string(text) if text is not None and w.reveal else _json(options, w)}"
