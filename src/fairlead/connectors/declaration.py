"""What a connector declares: from this alone the house checks, stores, shows and explains a connection.

A system is one module of this package that holds one subclass of :class:`Connector`; importing the module is all the
registration there is. A declaration lists the options with their words in each of the four spellings, the rules
across options in the words of each system, the steps of VALIDATE, and how the system is reached. It knows neither SQL
nor storage.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from fairlead.connectors import values
from fairlead.errors import NotSupported

if TYPE_CHECKING:
    from fairlead.connectors.checks import Step
    from fairlead.connectors.store import S3Target
    from fairlead.sensitive import Sensitive

Spelling = Literal["materialize", "singlestore", "databend", "clickzetta"]
SPELLINGS: Final[tuple[Spelling, ...]] = ("materialize", "singlestore", "databend", "clickzetta")


class Category(StrEnum):
    """What kind of system it is."""

    STORAGE = "STORAGE"
    CATALOG = "CATALOG"
    API = "API"
    DATABASE = "DATABASE"
    STREAM = "STREAM"
    NETWORK = "NETWORK"


class Masking(StrEnum):
    """Who may see a value: all, all but where a system hides identities, nobody."""

    PLAIN = "plain"
    IDENTITY = "identity"
    SECRET = "secret"  # noqa: S105  # the name of a class, not a password


@dataclass(frozen=True, slots=True)
class Words:
    """How one system spells an option.

    Args:
        name: the main word (``ACCESS KEY ID``, ``aws_access_key_id``, ``access_key_id``, ``ACCESS_KEY``).
        aliases: accepted as well.
        clause: CREDENTIALS or CONFIG, for SingleStore.
        either_clause: whether the other clause takes it too.
        inverted: whether a boolean says the opposite there.
        shown: the row name in DESC, where it is another.
        form: whether Materialize takes text, a named secret, or either.
        typed: whether users may write it; False for what the system makes itself.
    """

    name: str
    aliases: tuple[str, ...] = ()
    clause: Literal["CREDENTIALS", "CONFIG"] | None = None
    either_clause: bool = False
    inverted: bool = False
    shown: str | None = None
    form: Literal["text", "text or secret", "secret"] = "text"
    typed: bool = True

    def matches(self, word: str, clause: str | None = None) -> bool:
        """Say whether a word as typed is this option. SingleStore's keys are exact, all other names ignore case."""
        if not self.typed:
            return False
        if self.clause is not None:
            return word == self.name and (clause in (None, self.clause) or self.either_clause)
        folded = word.casefold()
        return folded == self.name.casefold() or any(folded == alias.casefold() for alias in self.aliases)


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """One option.

    Args:
        name: canonical: lower case with underscores.
        help: one sentence for people.
        words: its words in each spelling that has it.
        kind: decides which values are right, and their one canonical text.
        masking: who may see it.
        plain_in: spellings in which a secret option is no secret.
        default: the value when it is not set.
        choices: the only values; canonical text.
        pending: why a connection that sets it cannot be *used* yet; it can be stored and shown.
    """

    name: str
    help: str
    words: Mapping[Spelling, Words]
    kind: values.Kind = "text"
    masking: Masking = Masking.PLAIN
    plain_in: frozenset[Spelling] = frozenset()
    default: str | None = None
    choices: tuple[str, ...] = ()
    pending: str | None = None

    def canonical(self, text: str) -> str:
        """Return the one text for all spellings of a value; empty means unset.

        Raises:
            ValueError: with the reason, which never holds the value.
        """
        if not text:
            return ""
        result = values.canonical(self.kind, text)
        if self.choices and result not in self.choices:
            message = "expected one of " + ", ".join(self.choices)
            raise ValueError(message)
        return result

    def is_secret(self, spelling: Spelling) -> bool:
        """Whether the value is sealed when it is written in this spelling."""
        return self.masking is Masking.SECRET and spelling not in self.plain_in


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a rule has against a definition, in the words of the spelling."""

    text: str
    hint: str | None = None


# Canonical name -> text of every option that is set; None where the text is a secret that is not at hand.
Given = Mapping[str, str | None]
Rule = Callable[[Given], Complaint | None]


class Connector(ABC):
    """One external system. Subclasses fill the class variables and say how the system is reached."""

    kind: ClassVar[str]
    category: ClassVar[Category]
    title: ClassVar[str]
    schemes: ClassVar[frozenset[str]]
    types: ClassVar[Mapping[Spelling, str]]
    shown_types: ClassVar[Mapping[Spelling, str]]
    options: ClassVar[tuple[OptionSpec, ...]]
    rules: ClassVar[Mapping[Spelling, tuple[Rule, ...]]]
    steps: ClassVar[tuple[Step, ...]]

    def target(self, options: Mapping[str, str | Sensitive]) -> S3Target:
        """Return how egress reaches the store.

        Args:
            options: by canonical name, secrets opened.

        Raises:
            NotSupported: this system is no object store, or an option cannot be honoured yet.
        """
        del options
        message = f"{self.title} connections cannot be used as an object store"
        raise NotSupported(message)

    @abstractmethod
    def destination(self, given: Given) -> str:
        """Return where the credential is sent, for the ledger and for the lock on moving it."""

    def renamed(self, spelling: Spelling, typed: frozenset[str]) -> Mapping[str, str]:
        """Return words that mean another word because of what stands beside them; upper case both.

        Raises:
            InvalidParameter: a word whose meaning cannot be told.
        """
        del spelling, typed
        return {}

    def generated(self, spelling: Spelling, given: Given) -> Mapping[str, str]:
        """Return options that the system itself makes at CREATE."""
        del spelling, given
        return {}

    def option(self, name: str) -> OptionSpec:
        """Return an option by its canonical name. Raises KeyError."""
        for spec in self.options:
            if spec.name == name:
                return spec
        raise KeyError(name)

    def find(self, spelling: Spelling, word: str, clause: str | None = None) -> OptionSpec | None:
        """Return the option that a word means in a spelling."""
        for spec in self.options:
            words = spec.words.get(spelling)
            if words is not None and words.matches(word, clause):
                return spec
        return None

    def known_words(self, spelling: Spelling, clause: str | None = None) -> tuple[str, ...]:
        """Return the main words of a spelling, in the order of the declaration."""
        return tuple(
            words.name
            for spec in self.options
            if (words := spec.words.get(spelling)) is not None and words.typed
            if clause in (None, words.clause) or words.either_clause
        )

    def refuse_pending(self, options: Mapping[str, str | Sensitive]) -> None:
        """Refuse the use of a connection with an option that cannot be honoured yet.

        Raises:
            NotSupported: naming the option.
        """
        for spec in self.options:
            if spec.pending is not None and options.get(spec.name, "") not in ("", "false"):
                message = f"a connection with {spec.name} can be stored and described, but not used yet"
                raise NotSupported(message, hint=spec.pending)


def connectors() -> tuple[Connector, ...]:
    """Return every connector, by kind."""
    return tuple(_registry()[kind] for kind in sorted(_registry()))


def connector(kind: str) -> Connector:
    """Return the connector of a kind.

    Raises:
        NotSupported: there is none (any more).
    """
    found = _registry().get(kind)
    if found is None:
        message = f"there is no connector for {kind}"
        raise NotSupported(message, hint="known are " + ", ".join(_registry()))
    return found


def connector_of_type(spelling: Spelling, word: str) -> Connector | None:
    """Return the connector that a type word means in a spelling, ignoring case."""
    for found in connectors():
        if found.types.get(spelling, "").casefold() == word.casefold():
            return found
    return None


@cache
def _registry() -> Mapping[str, Connector]:
    package = importlib.import_module(__name__.rpartition(".")[0])
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    found = (kind for kind in Connector.__subclasses__() if kind.__module__.startswith(f"{package.__name__}."))
    return {kind.kind: kind() for kind in found}
