"""What is wrong with an option, in the words of the system in whose spelling it was written.

Each spec has its own texts for the same mistakes (materialize.md section 4, singlestore.md section 8, databend.md
section 3, clickzetta.md section 10). No text holds a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.dialects import errors as texts
from fairlead.errors import InvalidParameter
from fairlead.lang.vocabulary import OPTION_NAMES
from fairlead.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.connectors.declaration import Connector, OptionSpec, Spelling
    from fairlead.context import Dialect
    from fairlead.lang.ast import Option

# What may be repeated in an error: what stands in the place of a name may be a misplaced secret.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
_ORDER: Final = {name: at for at, name in enumerate(OPTION_NAMES)}


def catalog_order(word: str) -> tuple[int, str]:
    """Return the sort key of Materialize's option names (materialize.md 9.2); unknown ones go last."""
    return _ORDER.get(word, len(_ORDER)), word


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks for one system.

    Args:
        spelling: whose words the statement uses.
        dialect: of the session; a strict one decorates the text.
        connector: whose options are spoken of.
    """

    spelling: Spelling
    dialect: Dialect
    connector: Connector

    @property
    def type_word(self) -> str:
        """The type as this system calls it."""
        return self.connector.types.get(self.spelling, self.connector.kind)

    def refusal(self, text: str, hint: str | None = None, position: int | None = None) -> InvalidParameter:
        """Return the error with this text, decorated as the system does."""
        if self.spelling == "databend":
            text = texts.databend(4000, f"invalid input parameter ({text})", self.dialect)
        return InvalidParameter(text, hint=hint, position=position)

    def word(self, spec: OptionSpec) -> str:
        """Return an option's word, or its canonical name where this system has none."""
        words = spec.words.get(self.spelling)
        return words.name if words is not None else spec.name

    def invalid(self, spec: OptionSpec, reason: str, option: Option | None = None) -> InvalidParameter:
        """Return the error about a value that an option cannot have."""
        word = self.word(spec)
        match self.spelling:
            case "materialize":
                text = f"invalid {word}: {reason}"
            case "singlestore":
                text = f'{_clause(spec)} key "{word}": {reason}'
            case "databend":
                text = f"value for {word} is invalid: {'ParseBoolError' if spec.kind == 'boolean' else reason}"
            case _:
                text = f'parameter "{word}": {reason}'
        return self.refusal(text, position=_position(option))

    def repeated(self, spec: OptionSpec, option: Option) -> InvalidParameter:
        """Return the error about an option that is given twice."""
        word = self.word(spec)
        match self.spelling:
            case "singlestore":
                text = f'{_clause(spec)} key "{word}" is given more than once'
            case "clickzetta":
                text = f'parameter "{word}" is given more than once'
            case _:
                text = f"{word} specified more than once"
        return self.refusal(text, position=_position(option))

    def unknown(self, options: Sequence[Option], clashing: Sequence[Option] = ()) -> InvalidParameter:
        """Return the error about options that the type does not have.

        Args:
            options: the unknown ones, at least one if ``clashing`` is empty.
            clashing: aliases beside the main word; an error in Databend's terms of the unexpected.
        """
        first = (*options, *clashing)[0]
        match self.spelling:
            case "materialize":
                words = sorted({option.name for option in options}, key=catalog_order)
                text = f"{self.type_word} connections do not support {', '.join(words)} values"
                return self.refusal(text, position=_position(first))
            case "databend":
                expected = ",".join(sorted(self.connector.known_words("databend")))
                got = ",".join(sorted({_named(option.name).lower() for option in (*options, *clashing)}))
                text = f"connection params invalid: expected [{expected}], got [{got}]"
                close = nearest(first.name, self.connector.known_words("databend"))
                return self.refusal(text, hint=f"did you mean {close}?" if close else None, position=_position(first))
            case "singlestore":
                return self._unknown_key(first)
            case _:
                known = self.connector.known_words("clickzetta")
                text = f'unknown parameter "{_named(first.name)}" for {self.type_word}'
                return self.refusal(*_suggested(text, first.name, known), position=_position(first))

    def _unknown_key(self, option: Option) -> InvalidParameter:
        clause = option.clause or "CONFIG"
        known = self.connector.known_words("singlestore", clause)
        elsewhere = self.connector.find("singlestore", option.name)
        if clause == "CONFIG" and (elsewhere is not None or texts.is_secret_key(option.name)):
            return self.refusal(f'"{option.name}" is a secret: put it in CREDENTIALS', position=_position(option))
        if elsewhere is not None:
            text = f'unknown CREDENTIALS key "{option.name}" for {self.type_word}'
            return self.refusal(text, hint="put it in CONFIG", position=_position(option))
        if clause == "CREDENTIALS" and nearest(option.name, known) is None:
            text = f"unknown CREDENTIALS key for {self.type_word}"
            return self.refusal(text, hint="known keys are " + ", ".join(known), position=_position(option))
        text = f'unknown {clause} key "{_named(option.name)}" for {self.type_word}'
        return self.refusal(*_suggested(text, option.name, known), position=_position(option))


def _clause(spec: OptionSpec) -> str:
    words = spec.words.get("singlestore")
    return (words.clause if words is not None else None) or "CONFIG"


def _named(name: str) -> str:
    return name if _NAME.fullmatch(name) else "..."


def _suggested(text: str, word: str, known: Sequence[str]) -> tuple[str, str | None]:
    close = nearest(word, known)
    if close is not None:
        return f'{text}; did you mean "{close}"?', None
    return text, "known are " + ", ".join(known)


def _position(option: Option | None) -> int | None:
    return None if option is None else option.position + 1
