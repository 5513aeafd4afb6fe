"""What a case of the escape corpus says: an attack, who must hold it, and the control that proves the attack is real.

Many attacks look refused when they only failed: a host that does not resolve, a typing error, a file that is not there.
So a case is held only if the error is in the words of one of its holders, and its control shows that the same form does
something: inside the grant (``Within``), or in a DuckDB without any of our layers (``Bare``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Layer = Literal["namespace", "landlock", "limits", "fence", "statements"]
LAYERS: Final[tuple[Layer, ...]] = ("namespace", "landlock", "limits", "fence", "statements")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who refuses, and how it says so.

    Args:
        states: the SQLSTATEs that it may give.
        words: a regular expression that its message (with detail and hint) matches.
        layer: the layer that is this holder; None for one that cannot be switched off.
    """

    states: frozenset[str]
    words: str
    layer: Layer | None = None


def _holder(states: str, words: str, layer: Layer | None = None) -> Holder:
    return Holder(frozenset(states.split()), words, layer)


HOLDERS: Final[dict[str, Holder]] = {
    # The language: a statement that is neither ours nor a data statement.
    "kinds": _holder(
        "42601 0A000",
        r"not offered|not supported|not a statement|unknown statement|expected|unexpected|own secrets are not used",
    ),
    # The planner and the commands, by name.
    "stage": _holder("42501 42704", r"permission denied for stage|must be owner of"),
    "traversal": _holder("22023", r"stage path traversal is not allowed"),
    "scheme": _holder("42501", r"locations cannot be reached from a query"),
    "inline": _holder("0A000 22023 42601", r"credentials written into a (query|stage) are not accepted|expected"),
    "table": _holder(
        "42501 42P07 42710 0A000 42704 42P01 2BP01",
        r"permission denied|must be owner of|already exists|does not exist|not offered|may be narrowed|is a view",
    ),
    "database": _holder("3D000", r'database ".*" does not exist'),
    "setting": _holder(
        "42704 22023 42501 0A000", r"(unrecognized|unknown) (configuration )?(parameter|setting)|setting"
    ),
    "hygiene": _holder("42501", r"is not available in queries", "statements"),
    # The store proxy: per request.
    "grant": _holder("42501", r"permission denied for |no (grant|right|rule)|not granted"),
    "path": _holder("42501 22023", r"the path holds|the path does not|the name of the bucket"),
    "copy": _holder("22023 42501", r"COPY needs a URL or a stage path|COPY \.\.\. FROM is not available"),
    "request": _holder("42501 0A000 22023", r"not (offered|accepted|allowed|supported)"),
    "absent": _holder("58P01 58030 58000", r"(does not exist|no such|No files found|there is nothing at|answered 400)"),
    # The door of the session: a request that is not signed with its key.
    "door": _holder("58030 42501 28000", r"did not come with the key of this session"),
    "redirect": _holder("58000", r"redirects are not followed"),
    # The engine, before it asks anybody: a URL that is none, or that has a parameter it does not know.
    "url": _holder("58030", r"URL needs to contain|Invalid query parameters|SSL connection failed"),
    # DuckDB's own lock.
    "fence": _holder(
        "42501", r"only object stores can be read and written here|configuration has been locked", "fence"
    ),
    # The engine has no such thing: never loaded, never there.
    "missing": _holder(
        "42883 42704 42P01 3F000 0A000 58P01 42601 XX000",
        r"does not exist|exists in the|not found|requires the extension|disabled",
    ),
    "engine": _holder("42601 42P01 42883 42703 22023 0A000 42804 22P02 42501 42000", r"."),
    # The kernel.
    "landlock": _holder(
        "42501 58030 58000 58P01",
        r"[Pp]ermission denied|No files found|[Cc]annot open|No such file|establish connection|it cannot reach",
        "landlock",
    ),
    "namespace": _holder("08001 58030 58000 42501", r"[Cc]onnect|an address that it cannot reach", "namespace"),
}


@dataclass(frozen=True, slots=True)
class Within:
    """The same form inside the grant: every statement must succeed in the same session."""

    statements: tuple[str, ...]
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Bare:
    """A DuckDB without our layers takes the last statement.

    Args:
        statements: run in turn.
        says: what its error must match, for what needs an extension that is not installed here; None = it succeeds.
        reaches: whether the recording server must have been asked.
    """

    statements: tuple[str, ...]
    says: str | None = None
    reaches: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One attack.

    Args:
        id: short, unique, first the hole of ENGINE.md 2.2 where it is one.
        attack: statements of the analyst's session; the first error ends them, and there must be one.
        held_by: names in ``HOLDERS``, any of which may answer.
        control: shows that the attack is real.
        parameters: of the last statement.
        before: statements of the administrator, earlier.
        after: statements of the administrator, later, that undo ``before``.
        harmless: layers without which the attack may succeed *and find nothing*: no error is asked for then, but
            forbidden content, a request, a change of files or objects still fail the case.
        scoped: for attacks whose whole answer is harmless in every set-up, because it shows only the session's own.
    """

    id: str
    attack: tuple[str, ...]
    held_by: frozenset[str]
    control: Within | Bare
    parameters: tuple[object, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    harmless: frozenset[Layer] = field(default_factory=frozenset)
    scoped: bool = False


READ: Final = Within(("SELECT count(*) FROM read_parquet('s3://{b}/granted/x.parquet')",))


def case(  # the words of a table
    id_: str,
    *attack: str,
    by: str,
    control: Within | Bare = READ,
    parameters: tuple[object, ...] = (),
    before: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    harmless: str = "",
    scoped: bool = False,
) -> Case:
    """Return a case; ``by`` and ``harmless`` are names separated by blanks."""
    holders = frozenset(by.split())
    unknown = holders - set(HOLDERS)
    assert not unknown, unknown
    layers = frozenset(layer for layer in LAYERS if layer in harmless.split())
    return Case(id_, attack, holders, control, parameters, before, after, layers, scoped)


def filled(text: str, values: dict[str, str]) -> str:
    """Return a statement with the world's names in it; other braces stay (patterns, structs)."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
