"""The two JSON clauses of a link, made from canonical options: CONFIG may be shown, CREDENTIALS never."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from fairlead.dialects.stored import Definition, FromSecret, OptionValue, Plain
from fairlead.lang.writer import Writer
from fairlead.sensitive import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.connectors.declaration import Connector, OptionSpec, Words

_WRITER: Final = Writer("native", reveal=True)


def config_object(definition: Definition, connector: Connector) -> dict[str, Any]:
    """Return CONFIG as an object, secrets as ``<redacted>``: as typed where that is known."""
    if definition.config_text is not None:
        return dict(json.loads(definition.config_text)) if definition.config_text.strip() else {}
    return {words.name: _shown(spec, value) for spec, words, value in _clause(definition, connector, "CONFIG")}


def config_json(definition: Definition, connector: Connector) -> str:
    """Return CONFIG as compact JSON, ``{}`` when empty (singlestore.md section 5)."""
    return json.dumps(config_object(definition, connector), separators=(",", ":"), ensure_ascii=False)


def config_statement(definition: Definition, connector: Connector) -> str:
    """Return the text of CONFIG for a statement: as typed, or compact; empty when there is none to write."""
    if definition.config_text is not None:
        return definition.config_text
    plain = {
        words.name: _shown(spec, value)
        for spec, words, value in _clause(definition, connector, "CONFIG")
        if isinstance(value, Plain)
    }
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False) if plain else ""


def credentials_statement(definition: Definition, connector: Connector) -> str | None:
    """Return what a statement says of CREDENTIALS.

    Returns:
        None where there are none; an empty text for STORED; else JSON of references and of values that are no secrets.
    """
    listed: dict[str, Any] = {}
    for _, words, value in _clause(definition, connector, "CREDENTIALS"):
        match value:
            case Plain(text=text):
                listed[words.name] = text
            case FromSecret(name=name):
                listed[words.name] = {"secret": _WRITER.name_in_reference(name)}
            case _:
                return ""
    return json.dumps(listed, separators=(",", ":"), ensure_ascii=False) if listed else None


def _clause(
    definition: Definition, connector: Connector, clause: str
) -> Iterator[tuple[OptionSpec, Words, OptionValue]]:
    """Yield the options of a clause in declared order; for CREDENTIALS also secrets that may stand in CONFIG."""
    for spec in connector.options:
        words = spec.words.get("singlestore")
        value = definition.options.get(spec.name)
        if words is None or value is None:
            continue
        moved = clause == "CREDENTIALS" and words.either_clause and not isinstance(value, Plain)
        if words.clause == clause or moved:
            yield spec, words, value


def _shown(spec: OptionSpec, value: OptionValue) -> Any:
    if not isinstance(value, Plain):
        return MASK
    match spec.kind:
        case "boolean":
            return value.text == "true"
        case "list":
            return json.loads(value.text)
        case "integer" | "number":
            return json.loads(value.text)
        case _:
            return value.text
