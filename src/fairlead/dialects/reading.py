"""From options as typed to values as stored, in any of the four spellings: canonical names, canonical texts.

Here it is decided which literals are secrets: they stay ``Sensitive`` and are sealed; all others become plain text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.connectors.declaration import Masking, OptionSpec, Spelling, Words
from fairlead.dialects import masks
from fairlead.dialects.stored import FromSecret, Inline, Joined, Kept, OptionValue, Plain
from fairlead.errors import InvalidParameter
from fairlead.lang import ast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fairlead.dialects.complaints import Voice

_HIDDEN_SECRET: Final = re.compile(r"://[^/?#\s]*@|-----BEGIN")
_MUST: Final = {"text": "a string value", "text or secret": "a string or secret value", "secret": "a secret value"}


@dataclass(slots=True)
class Typed:
    """What the options of a statement say.

    Args:
        values: by canonical name; None for an option that is written as empty, which means unset.
        unknown: options that the type does not have.
        clashing: aliases beside the main word, in Databend's spelling.
    """

    values: dict[str, OptionValue | None] = field(default_factory=dict)
    unknown: list[ast.Option] = field(default_factory=list)
    clashing: list[ast.Option] = field(default_factory=list)


def read_options(voice: Voice, options: Sequence[ast.Option], *, stored_as: Spelling | None = None) -> Typed:
    """Return what typed options say.

    Args:
        voice: whose words they are.
        options: as typed.
        stored_as: the spelling of the definition that they go into, if it is another one.

    Raises:
        InvalidParameter: a repeated option, or a value that an option cannot have.
    """
    typed = Typed()
    found = _found(voice, options, typed)
    for spec, option in found:
        typed.values[spec.name] = _Reader(voice, spec, option, stored_as or voice.spelling).read()
    return typed


def _found(voice: Voice, options: Sequence[ast.Option], typed: Typed) -> list[tuple[OptionSpec, ast.Option]]:
    """Return what each option means, the unknown sorted out and the repeated refused; Databend takes the last one."""
    renamed = _renamed(voice, options)
    found: list[tuple[OptionSpec, ast.Option]] = []
    seen: dict[str, str] = {}
    for option in options:
        spec = voice.connector.find(voice.spelling, renamed.get(option.name.upper(), option.name), option.clause)
        if spec is None:
            typed.unknown.append(option)
            continue
        if spec.name in seen and voice.spelling != "databend":
            raise voice.repeated(spec, option)
        if seen.get(spec.name, option.name.casefold()) != option.name.casefold():
            typed.clashing.append(option)
        seen[spec.name] = option.name.casefold()
        found.append((spec, option))
    return found


def _renamed(voice: Voice, options: Sequence[ast.Option]) -> Mapping[str, str]:
    return voice.connector.renamed(voice.spelling, frozenset(option.name.upper() for option in options))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the value of one option."""

    voice: Voice
    spec: OptionSpec
    option: ast.Option
    stored_as: Spelling

    @property
    def _words(self) -> Words:
        return self.spec.words[self.voice.spelling]

    def read(self) -> OptionValue | None:
        """Return the value, None for an empty one."""
        match self.option.value:
            case None:
                return self._missing()
            case ast.Stored():
                return self._kept()
            case ast.SecretRef(name=name):
                self._allow_secret()
                return FromSecret(name)
            case ast.Concat(parts=parts):
                self._allow_secret()
                return self._joined(parts)
            case ast.ListOf(items=items) if self.spec.kind == "list":
                return self._listed(items)
            case ast.Text() as text:
                return self._text(text)
            case _:
                reason = "cannot use value as string" if self.voice.spelling == "materialize" else "needs a plain value"
                raise self._invalid(reason)

    def _missing(self) -> Plain:
        if self.spec.kind == "boolean":
            return Plain("false" if self._words.inverted else "true")
        raise self._invalid(f"must provide {_MUST[self._words.form]}")

    def _kept(self) -> Kept:
        if self.spec.masking is Masking.PLAIN or not self._words.typed:
            raise self._invalid("STORED is for secrets; write the value")
        return Kept()

    def _allow_secret(self) -> None:
        if self.spec.masking is not Masking.PLAIN or self._words.clause == "CREDENTIALS":
            return
        materialize = self.voice.spelling == "materialize"
        raise self._invalid("cannot use value as string" if materialize else "cannot be a secret")

    def _joined(self, parts: Sequence[ast.Text | ast.SecretRef]) -> Joined:
        if self._words.form == "secret" and not any(isinstance(part, ast.SecretRef) for part in parts):
            raise self._invalid("must provide a secret value")
        return Joined(
            tuple(FromSecret(part.name) if isinstance(part, ast.SecretRef) else Inline(part.value) for part in parts)
        )

    def _listed(self, items: Sequence[ast.Value]) -> Plain | None:
        if not all(isinstance(item, ast.Text) for item in items):
            raise self._invalid("needs a list of texts")
        listed = json.dumps([item.value.reveal() for item in items if isinstance(item, ast.Text)])
        return self._plain(listed)

    def _text(self, text: ast.Text) -> OptionValue | None:
        self._check_kind(text)
        self._refuse_mask(text)
        if self.spec.is_secret(self.stored_as):
            return Inline(text.value) if text.value else None
        return self._plain(text.value.reveal())

    def _refuse_mask(self, text: ast.Text) -> None:
        if self.spec.kind == "list":  # "*" means every host there
            return
        try:
            masks.refuse_mask(self.voice.word(self.spec), text.value)
        except InvalidParameter as error:
            raise self.voice.refusal(error.message, error.hint, self.option.position + 1) from None

    def _plain(self, text: str) -> Plain | None:
        if self._words.clause == "CONFIG" and _HIDDEN_SECRET.search(text):
            word = self.voice.word(self.spec)
            message = f'"{word}" holds a secret: put it in CREDENTIALS'
            raise self.voice.refusal(message, position=self.option.position + 1)
        try:
            canonical = self.spec.canonical(text)
        except ValueError as error:
            raise self._invalid(str(error)) from None
        if self._words.inverted and canonical:
            canonical = "false" if canonical == "true" else "true"
        return Plain(canonical) if canonical else None

    def _check_kind(self, text: ast.Text) -> None:
        if self.voice.spelling == "materialize":
            self._check_materialize_kind(text)
            return
        fits = {
            "string": True,
            "word": True,
            "boolean": self.spec.kind == "boolean",
            "number": self.spec.kind in ("number", "integer", "text"),
        }
        if not fits.get(text.kind, False):
            raise self._invalid("must be a text" if self.spec.kind != "boolean" else "expected true or false")

    def _check_materialize_kind(self, text: ast.Text) -> None:
        if self._words.form == "secret":
            raise self._invalid("must provide a secret value")
        if text.kind in ("string", "word"):
            return
        if self.spec.kind == "boolean":
            if text.kind != "boolean":
                raise self._invalid("cannot use value as boolean")
            return
        raise self._invalid("cannot use value as string")

    def _invalid(self, reason: str) -> InvalidParameter:
        return self.voice.invalid(self.spec, reason, self.option)
