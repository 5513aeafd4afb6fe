"""The meaning of CREATE and ALTER CONNECTION: from what was typed, in any spelling, to one canonical definition.

Everything that the specs check at CREATE is checked here, in their order and words; nothing is asked of the outside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fairlead.connectors import declaration
from fairlead.connectors.declaration import SPELLINGS, Connector, OptionSpec, Spelling
from fairlead.dialects import types
from fairlead.dialects.complaints import Voice, catalog_order
from fairlead.dialects.masks import refuse_mask
from fairlead.dialects.reading import Typed, read_options
from fairlead.dialects.stored import (
    Definition,
    FromSecret,
    Inline,
    Joined,
    Kept,
    OptionValue,
    Plain,
    destination,
    from_json,
    inline_secrets,
    keeps_part,
    keeps_secret,
    kept,
    resolve,
    same_plain,
    secret_names,
    to_json,
)
from fairlead.errors import InvalidParameter
from fairlead.lang import ast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fairlead.context import Dialect

__all__ = [
    "Definition",
    "FromSecret",
    "Inline",
    "Joined",
    "Kept",
    "OptionValue",
    "Plain",
    "define",
    "destination",
    "edit",
    "from_json",
    "inline_secrets",
    "keep",
    "keeps_secret",
    "kept",
    "refuse_mask",
    "resolve",
    "same_plain",
    "secret_names",
    "to_json",
]

_EDIT_PREFIX: Final = "invalid ALTER CONNECTION: "
_NOTHING_KEPT: Final = "write the credential instead of STORED"


def define(statement: ast.CreateConnection, dialect: Dialect) -> Definition:
    """Return the definition that a CREATE CONNECTION or CREATE LINK writes down.

    Args:
        statement: in any spelling.
        dialect: of the session.

    Raises:
        InvalidParameter: an unknown type, or a definition that its system refuses.
        NotSupported: a type without a connector.
    """
    connector = types.connector_of(statement, dialect)
    voice = Voice(statement.spelling, dialect, connector)
    if statement.spelling == "databend" and any(o.name.upper() == "CONNECTION_NAME" for o in statement.options):
        raise voice.refusal("can not use connection_name when create connection")
    typed = read_options(voice, statement.options)
    options = {name: value for name, value in typed.values.items() if value is not None}
    definition = Definition(
        connector.kind,
        statement.spelling,
        options,
        config_text=_showable(connector, statement.config_text, options),
        credentials_kept=statement.credentials_stored,
    )
    # Databend checks the rules of the type before unexpected parameters, all others after them.
    if statement.spelling != "databend":
        _refuse_unknown(voice, typed)
    if not definition.credentials_kept:
        check_rules(definition, voice)
    _refuse_unknown(voice, typed)
    return _completed(definition, connector)


def edit(current: Definition, statement: ast.AlterConnection, dialect: Dialect) -> Definition:
    """Return a definition as the actions of an ALTER change it, checked as a whole.

    Args:
        current: what is stored.
        statement: in the connection's own spelling, or in another one's words.
        dialect: of the session.

    Raises:
        InvalidParameter: an action that cannot be, or a result that its system refuses.
    """
    connector = declaration.connector(current.kind)
    editing = _Edit(current, connector, dialect)
    for action in statement.actions:
        match action:
            case ast.SetOptions(options=options):
                editing.set(options)
            case ast.UnsetOptions(names=names):
                editing.unset(names)
            case ast.ReplaceClause(clause=clause, options=options, text=text):
                editing.replace_clause(clause, options, text)
            case _:
                pass  # names, owners, comments and states are no part of the definition
    return editing.result()


def keep(current: Definition, defined: Definition) -> Definition:
    """Return a new definition with what it keeps (STORED, a generated external id) taken from the current one.

    Args:
        current: what is stored.
        defined: by ``define``, of a CREATE OR REPLACE.

    Raises:
        InvalidParameter: nothing is stored that could be kept, or the result is refused.
    """
    if current.kind != defined.kind:
        if kept(defined):
            message = "a connection that changes its type cannot keep its credential"
            raise InvalidParameter(message, hint=_NOTHING_KEPT)
        return defined
    connector = declaration.connector(defined.kind)
    options = {name: _from_current(current, name, value) for name, value in defined.options.items()}
    if defined.credentials_kept:
        credentials = {n: v for n, v in current.options.items() if _is_credential(connector.option(n), v)}
        if not credentials:
            message = "no credential is stored that could be kept"
            raise InvalidParameter(message, hint=_NOTHING_KEPT)
        options = {**credentials, **options}
    for name in connector.generated(defined.spelling, {n: None for n in options if n != "external_id"}):
        if name in current.options:
            options[name] = current.options[name]
    result = replace(defined, options=options, credentials_kept=False)
    check_rules(result, Voice(defined.spelling, "native", connector))
    return result


def check_rules(definition: Definition, voice: Voice) -> None:
    """Check the rules across options, in the words of the definition's spelling.

    Raises:
        InvalidParameter: the first rule that is broken.
    """
    given = definition.given()
    for rule in voice.connector.rules.get(definition.spelling, ()):
        complaint = rule(given)
        if complaint is not None:
            raise voice.refusal(complaint.text, complaint.hint)


class _Edit:
    """The actions of one ALTER, collected and then applied together."""

    def __init__(self, current: Definition, connector: Connector, dialect: Dialect) -> None:
        self._current = current
        self._connector = connector
        self._dialect = dialect
        self._own = Voice(current.spelling, dialect, connector)
        self._options: dict[str, OptionValue] = dict(current.options)
        self._config_text = current.config_text
        self._set: set[str] = set()
        self._dropped: set[str] = set()

    def set(self, options: Sequence[ast.Option]) -> None:
        """SET (...), SET ::key, SET PARAM = v."""
        for spelling, group in self._by_spelling(options).items():
            self._apply(self._read(spelling, group))

    def unset(self, names: Sequence[str]) -> None:
        """DROP (...), RESET (...), UNSET ...; an option that is not set is no error."""
        for name in names:
            option = ast.Option(name, None)
            spelling = self._spelling_of(option, frozenset())
            spec = self._connector.find(spelling, name) if spelling is not None else None
            if spec is None:
                raise self._own.unknown([option])
            self._dropped.add(spec.name)
            self._change(spec, None)

    def replace_clause(self, clause: str, options: Sequence[ast.Option], text: str | None) -> None:
        """SET CONFIG 'json', SET CREDENTIALS 'json': the clause is given anew."""
        for spec in self._connector.options:
            words = spec.words.get("singlestore")
            if words is not None and words.clause == clause:
                self._options.pop(spec.name, None)
        self._apply(self._read("singlestore", options))
        if clause == "CONFIG":
            self._config_text = _showable(self._connector, text, self._options)

    def result(self) -> Definition:
        """Return the edited definition. Raises InvalidParameter."""
        both = self._set & self._dropped
        if both:
            words = sorted((self._own.word(self._connector.option(name)) for name in both), key=catalog_order)
            raise self._own.refusal(f"cannot both SET and DROP/RESET options {', '.join(words)}")
        edited = replace(self._current, options=self._options, config_text=self._config_text)
        try:
            check_rules(edited, self._own)
        except InvalidParameter as error:
            if self._current.spelling != "materialize":
                raise
            raise InvalidParameter(_EDIT_PREFIX + error.message, hint=error.hint) from None
        return _completed(edited, self._connector)

    def _read(self, spelling: Spelling, options: Sequence[ast.Option]) -> Typed:
        voice = Voice(spelling, self._dialect, self._connector)
        typed = read_options(voice, options, stored_as=self._current.spelling)
        _refuse_unknown(voice, typed)
        return typed

    def _apply(self, typed: Typed) -> None:
        for name, value in typed.values.items():
            spec = self._connector.option(name)
            if name in self._set:
                raise self._own.refusal(f"{self._own.word(spec)} specified more than once")
            self._set.add(name)
            if isinstance(value, Kept):
                value = _from_current(self._current, name, value)  # noqa: PLW2901  # what is kept is what is stored
            self._change(spec, value)

    def _change(self, spec: OptionSpec, value: OptionValue | None) -> None:
        words = spec.words.get(self._current.spelling)
        if words is None or not words.typed:
            message = f"{spec.name} cannot be set on a connection in the {self._current.spelling} spelling"
            raise InvalidParameter(message, hint="CREATE OR REPLACE it in a spelling that has this option")
        if value is None:
            self._options.pop(spec.name, None)
        else:
            self._options[spec.name] = value
        in_link = spec.words.get("singlestore")
        if in_link is not None and in_link.clause == "CONFIG":
            self._config_text = None

    def _by_spelling(self, options: Sequence[ast.Option]) -> Mapping[Spelling, list[ast.Option]]:
        typed = frozenset(option.name.upper() for option in options)
        groups: dict[Spelling, list[ast.Option]] = {}
        for option in options:
            spelling = self._spelling_of(option, typed) or (
                "singlestore" if option.clause in ("CONFIG", "CREDENTIALS") else self._current.spelling
            )
            groups.setdefault(spelling, []).append(option)
        return groups

    def _spelling_of(self, option: ast.Option, typed: frozenset[str]) -> Spelling | None:
        """Return whose word an option is: its own system's first, natively also another one's."""
        if option.clause in ("CONFIG", "CREDENTIALS"):
            return "singlestore"
        order = (self._current.spelling, *SPELLINGS) if self._dialect == "native" else (self._dialect,)
        for spelling in order:
            found = self._connector.find(spelling, option.name)
            if found is not None:
                self._connector.renamed(spelling, typed)
                return spelling
        return None


def _refuse_unknown(voice: Voice, typed: Typed) -> None:
    if typed.unknown or typed.clashing:
        raise voice.unknown(typed.unknown, typed.clashing)


def _from_current(current: Definition, name: str, value: OptionValue) -> OptionValue:
    if not keeps_part(value):
        return value
    if name not in current.options:
        message = f"no {name} is stored that could be kept"
        raise InvalidParameter(message, hint=_NOTHING_KEPT)
    return current.options[name]


def _is_credential(spec: OptionSpec, value: OptionValue) -> bool:
    """Say whether CREDENTIALS STORED keeps an option: all of that clause, and secrets that may stand in CONFIG too."""
    words = spec.words.get("singlestore")
    if words is None:
        return False
    return words.clause == "CREDENTIALS" or (words.either_clause and not isinstance(value, Plain))


def _completed(definition: Definition, connector: Connector) -> Definition:
    made = connector.generated(definition.spelling, definition.given())
    if not made:
        return definition
    return replace(definition, options={**definition.options, **{name: Plain(text) for name, text in made.items()}})


def _showable(connector: Connector, text: str | None, options: Mapping[str, OptionValue]) -> str | None:
    """Return the text of CONFIG, None where it holds a secret or a reference to one."""
    for name, value in options.items():
        words = connector.option(name).words.get("singlestore")
        if words is not None and words.clause == "CONFIG" and not isinstance(value, Plain):
            return None
    return text
