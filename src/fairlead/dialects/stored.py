"""What is stored of a connection: options by canonical name, each plain, sealed, or a reference to a named secret.

The JSON form holds no secret: a sealed value is the marker ``{"sealed": true}``, its bytes lie encrypted beside it
under the name of the option; a named secret is ``{"secret": id}``, so that it may be renamed and rotated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairlead.connectors import declaration
from fairlead.connectors.store import store_named
from fairlead.lang.ast import Name
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fairlead.connectors.declaration import Spelling


@dataclass(frozen=True, slots=True)
class Plain:
    """A value that is no secret, in canonical form."""

    text: str


@dataclass(frozen=True, slots=True)
class Inline:
    """A secret that was typed into the statement; the caller seals it."""

    value: Sensitive


@dataclass(frozen=True, slots=True)
class FromSecret:
    """The value of a named secret, read at each use."""

    name: Name


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret that is sealed already, and stays."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts that are put together at each use. Every literal part is sealed."""

    parts: tuple[Inline | FromSecret | Kept, ...]


OptionValue = Plain | Inline | FromSecret | Kept | Joined


@dataclass(frozen=True, slots=True)
class Definition:
    """A connection as its statement defines it.

    Args:
        kind: of the connector.
        spelling: in which it was written, and is shown back.
        options: by canonical name; what is unset is absent.
        config_text: CONFIG as first typed (SingleStore shows it so); None where it holds a secret, or was changed.
        credentials_kept: CREDENTIALS STORED: every credential stays as it is stored.
    """

    kind: str
    spelling: Spelling
    options: Mapping[str, OptionValue]
    config_text: str | None = None
    credentials_kept: bool = False

    def given(self) -> dict[str, str | None]:
        """Return the text of every option that is set, None where it is not at hand."""
        return {name: value.text if isinstance(value, Plain) else None for name, value in self.options.items()}


def to_json(definition: Definition, secret_ids: Callable[[Name], int]) -> dict[str, Any]:
    """Return the JSON to store.

    Args:
        definition: what to store.
        secret_ids: gives the id of a named secret.
    """
    stored: dict[str, Any] = {
        "kind": definition.kind,
        "spelling": definition.spelling,
        "options": {name: _value_to_json(value, secret_ids) for name, value in definition.options.items()},
    }
    if definition.config_text is not None:
        stored["config_text"] = definition.config_text
    return stored


def _value_to_json(value: OptionValue, secret_ids: Callable[[Name], int]) -> Any:
    match value:
        case Plain(text=text):
            return text
        case FromSecret(name=name):
            return {"secret": secret_ids(name)}
        case Joined(parts=parts):
            return {"join": [_value_to_json(part, secret_ids) for part in parts]}
        case Inline() | Kept():
            return {"sealed": True}


def from_json(stored: Mapping[str, Any], secret_names: Callable[[int], Name]) -> Definition:
    """Return what a stored JSON says; sealed values are :class:`Kept`.

    Args:
        stored: as made by ``to_json``.
        secret_names: gives the name of a secret.
    """
    return Definition(
        kind=stored["kind"],
        spelling=stored["spelling"],
        options={name: _value_from_json(item, secret_names) for name, item in stored["options"].items()},
        config_text=stored.get("config_text"),
    )


def _value_from_json(item: Any, secret_names: Callable[[int], Name]) -> OptionValue:
    if isinstance(item, str):
        return Plain(item)
    if "join" in item:
        return Joined(tuple(_part_from_json(part, secret_names) for part in item["join"]))
    return _part_from_json(item, secret_names)


def _part_from_json(item: Mapping[str, Any], secret_names: Callable[[int], Name]) -> FromSecret | Kept:
    return FromSecret(secret_names(item["secret"])) if "secret" in item else Kept()


def resolve(
    stored: Mapping[str, Any],
    open_secret: Callable[[int], Sensitive],
    open_sealed: Callable[[str], Sensitive],
) -> Mapping[str, str | Sensitive]:
    """Return the options for use, by canonical name.

    Args:
        stored: as made by ``to_json``.
        open_secret: gives the value of a secret by its id.
        open_sealed: gives a sealed value by its field, as named by ``inline_secrets``.
    """

    def value(field: str, item: Any) -> str | Sensitive:
        if isinstance(item, str):
            return item
        if "join" in item:
            return Sensitive("".join(_opened(value(f"{field}.{at}", part)) for at, part in enumerate(item["join"])))
        return open_secret(item["secret"]) if "secret" in item else open_sealed(field)

    return {name: value(name, item) for name, item in stored["options"].items()}


def _opened(value: str | Sensitive) -> str:
    return value.reveal() if isinstance(value, Sensitive) else value


def secret_names(definition: Definition) -> tuple[Name, ...]:
    """Return the named secrets that a definition refers to, each once, in order."""
    found = [
        part.name
        for value in definition.options.values()
        for part in (value.parts if isinstance(value, Joined) else (value,))
        if isinstance(part, FromSecret)
    ]
    return tuple(dict.fromkeys(found))


def inline_secrets(definition: Definition) -> Mapping[str, Sensitive]:
    """Return the secrets to seal, by field: the option's name, with ``.n`` for the parts of a concatenation."""
    fields: dict[str, Sensitive] = {}
    for name, value in definition.options.items():
        if isinstance(value, Inline):
            fields[name] = value.value
        elif isinstance(value, Joined):
            fields |= {f"{name}.{at}": part.value for at, part in enumerate(value.parts) if isinstance(part, Inline)}
    return fields


def kept(definition: Definition) -> tuple[str, ...]:
    """Return what stays as it is stored: names of options, and ``credentials`` for CREDENTIALS STORED."""
    names = [name for name, value in definition.options.items() if keeps_part(value)]
    return (*names, "credentials") if definition.credentials_kept else tuple(names)


def keeps_secret(definition: Definition) -> bool:
    """Say whether a definition goes on using a credential that is sealed already."""
    return bool(kept(definition))


def keeps_part(value: OptionValue) -> bool:
    """Say whether a value is, or holds, a sealed one."""
    return isinstance(value, Kept) or (isinstance(value, Joined) and Kept() in value.parts)


def destination(definition: Definition) -> str:
    """Return where the credential of a connection is sent."""
    return declaration.connector(definition.kind).destination(definition.given())


def store_of(stored: Mapping[str, Any]) -> str:
    """Return what a connection leads to, from its JSON; connections to one store have the same, however spelled."""
    return store_named(destination(from_json(stored, lambda _: Name(("",)))))


def same_plain(one: Definition, other: Definition) -> bool:
    """Say whether two definitions agree as far as can be told without opening a secret."""
    if one.kind != other.kind:
        return False
    # What the system makes at CREATE is new each time, and no difference.
    made = declaration.connector(other.kind).generated(other.spelling, {"role_arn": None})
    names = (one.options.keys() | other.options.keys()) - made.keys()
    return all(
        name in one.options and name in other.options and _same(one.options[name], other.options[name])
        for name in names
    )


def _same(one: OptionValue, other: OptionValue) -> bool:
    match one, other:
        case (Plain(), _) | (_, Plain()):
            return one == other
        case FromSecret(name=first), FromSecret(name=second):
            shorter = min(len(first.parts), len(second.parts))
            return str(Name(first.parts[-shorter:])).casefold() == str(Name(second.parts[-shorter:])).casefold()
        case Joined(parts=first_parts), Joined(parts=second_parts):
            return len(first_parts) == len(second_parts)
        case ((Inline() | Kept()), (Inline() | Kept())):
            return True
        case _:
            return False
