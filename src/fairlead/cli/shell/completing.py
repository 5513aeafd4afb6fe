"""What may come next: keywords, and the names that fit where the cursor is. Pure; ``Completing`` is its thin shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from prompt_toolkit.completion import Completer, Completion

from fairlead.cli.shell.commands import COMMANDS
from fairlead.lang.vocabulary import VOCABULARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from fairlead.cli.shell.names import Names

_SQL: Final = (
    "SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET DISTINCT ON JOIN LEFT RIGHT FULL INNER OUTER CROSS USING "
    "LATERAL UNION INTERSECT EXCEPT WITH RECURSIVE VALUES INSERT INTO UPDATE SET DELETE MERGE WHEN MATCHED THEN CASE "
    "ELSE END AND OR NOT NULL IS IN BETWEEN LIKE ILIKE EXISTS ANY SOME AS ASC DESC NULLS FIRST LAST OVER PARTITION "
    "ROWS RANGE PRECEDING FOLLOWING UNBOUNDED QUALIFY WINDOW FILTER CAST COALESCE COUNT SUM AVG MIN MAX TRUE FALSE "
    "CREATE ALTER DROP TRUNCATE TABLE VIEW COLUMN ADD RENAME TO DEFAULT INTEGER BIGINT DOUBLE VARCHAR BOOLEAN DATE "
    "TIMESTAMP DECIMAL JSON UUID BLOB INTERVAL EXPLAIN ANALYZE DESCRIBE SUMMARIZE RETURNING CONFLICT DO NOTHING "
    "SAMPLE PIVOT UNPIVOT EXCLUDE REPLACE PRIMARY KEY COPY STDIN HEADER FORMAT"
)
KEYWORDS: Final = tuple(sorted({*VOCABULARY, *_SQL.split()}))
_WORD: Final = re.compile(r"[\w$]*\Z")
_BEFORE: Final = re.compile(r"(@?)((?:\"(?:[^\"]|\"\")*\"|[\w$]+)\.)?[\w$]*\Z")
_WORDS: Final = re.compile(r"[A-Za-z_][\w$]*")
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_$]*")
# The word before the cursor's, and the kinds of names that follow it.
_AFTER: Final = {
    **dict.fromkeys(("FROM", "JOIN", "UPDATE", "TABLE", "DESCRIBE", "SUMMARIZE", "INTO", "VIEW"), ("relations",)),
    **dict.fromkeys(("CONNECTION", "LINK"), ("connections",)),
    **dict.fromkeys(("STAGE", "LIST"), ("stages",)),
    "SECRET": ("secrets",),
    **dict.fromkeys(("DATABASE", "USE"), ("databases",)),
    **dict.fromkeys(("USER", "ROLE"), ("users", "roles")),
    **dict.fromkeys(("SET", "RESET"), ("settings",)),
    "SHOW": ("settings",),
}
_NAMES_ONLY: Final = frozenset({"CONNECTION", "LINK", "SECRET", "DATABASE", "USE", "RESET"})


def candidates(before: str, names: Names) -> Iterator[tuple[str, str]]:
    """Give what may stand at the end of a text, with its kind.

    Args:
        before: the text up to the cursor.
        names: what there is.
    """
    statement = before.rpartition(";")[2]
    if statement.lstrip().startswith("\\"):
        yield from _backslash(statement.lstrip(), names)
        return
    found = _BEFORE.search(statement)
    at, qualifier = (found[1], found[2]) if found else ("", None)
    if at:
        yield from ((name, "stages") for name in names.of("stages"))
        return
    if qualifier:
        yield from _members(qualifier[:-1], statement, names)
        return
    words = [word.upper() for word in _WORDS.findall(_WORD.sub("", statement))]
    last = words[-1] if words else ""
    for kind in _AFTER.get(last, ()):
        yield from ((name, kind) for name in names.of(kind))
    if last in _NAMES_ONLY:
        return
    if words and last not in _AFTER:
        for table in _mentioned(statement, names):
            yield from ((column, table) for column in names.columns[table])
        yield from ((name, "relations") for name in names.of("relations"))
    yield from ((word, "") for word in KEYWORDS)


def _backslash(line: str, names: Names) -> Iterator[tuple[str, str]]:
    name, space, _ = line.partition(" ")
    if not space:
        yield from ((command.name, command.help) for command in COMMANDS)
    elif name in ("\\c", "\\connect"):
        yield from ((one, "databases") for one in names.of("databases"))
    else:
        yield from ((one, "relations") for one in names.of("relations"))


def _members(qualifier: str, statement: str, names: Names) -> Iterator[tuple[str, str]]:
    """Give the columns of a table, of what an alias stands for, or the relations of a schema."""
    bare = qualifier.strip('"').replace('""', '"')
    alias = re.search(rf"([\w$]+|\"[^\"]+\")\s+(?:AS\s+)?{re.escape(bare)}\b", statement, re.IGNORECASE)
    wanted = {bare.casefold(), *([alias[1].strip('"').casefold()] if alias else [])}
    found = [table for table in names.columns if table.casefold() in wanted]
    for table in found:
        yield from ((column, table) for column in names.columns[table])
    if not found:
        yield from ((name, "relations") for name in names.of("relations"))


def _mentioned(statement: str, names: Names) -> list[str]:
    words = {word.casefold() for word in re.findall(r"[\w$]+", statement)}
    return [table for table in names.columns if table.casefold() in words]


def quoted(name: str) -> str:
    """Return a name as it is written: in quotes only where it must be."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


class Completing(Completer):
    """Completion of the prompt.

    Args:
        names: gives what there is now.
    """

    def __init__(self, names: Callable[[], Names]) -> None:
        self._names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Give what begins like the word before the cursor, keywords in the case in which it was begun."""
        before = document.text_before_cursor
        command = before.lstrip()
        begun = _WORD.search(before)
        typed = begun[0] if begun else ""
        if command.startswith("\\") and " " not in command:
            typed = command
        if not typed and not complete_event.completion_requested and not before.endswith((".", "@")):
            return
        seen: set[str] = set()
        for text, kind in candidates(before, self._names()):
            if text.casefold().startswith(typed.casefold()) and text not in seen:
                seen.add(text)
                yield Completion(_in_case(text, typed, kind), -len(typed), display=text, display_meta=kind)


def _in_case(text: str, typed: str, kind: str) -> str:
    if text.startswith("\\"):
        return text
    if kind:
        return quoted(text)
    return text.lower() if typed[:1].islower() else text
