"""The names that can be completed: what the user may see, asked of the gateway while nothing else is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.cli.shell.running import Columns, Rows
from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.cli.shell.running import Runner

_QUESTIONS: Final = {
    "relations": "SHOW TABLES",
    "connections": "SHOW CONNECTIONS",
    "stages": "SHOW STAGES",
    "secrets": "SHOW SECRETS",
    "databases": "SHOW DATABASES",
    "users": "SHOW USERS",
    "roles": "SHOW ROLES",
    "settings": "SHOW ALL",
}
_COLUMNS: Final = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_catalog = current_database() "
    "ORDER BY table_name, ordinal_position LIMIT 50000"
)


@dataclass(frozen=True, slots=True)
class Names:
    """What there is, as far as the user may see it.

    Args:
        by_kind: names of each kind of object: ``relations``, ``connections``, ``settings`` and so on.
        columns: of each table and view.
    """

    by_kind: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, *kinds: str) -> tuple[str, ...]:
        """Return the names of some kinds."""
        return tuple(name for kind in kinds for name in self.by_kind.get(kind, ()))


def ask(runner: Runner) -> Names:
    """Ask the gateway for all names. What it refuses is left out: completion is a convenience."""
    by_kind: dict[str, tuple[str, ...]] = {}
    for kind, question in _QUESTIONS.items():
        with suppress(FairleadError):
            by_kind[kind] = tuple(name for (name, *_) in _answers(runner, question) if name is not None)
    columns: dict[str, list[str]] = {}
    with suppress(FairleadError):
        for table, column, *_ in _answers(runner, _COLUMNS):
            if table is not None and column is not None:
                columns.setdefault(table, []).append(column)
    return Names(by_kind, {table: tuple(some) for table, some in columns.items()})


def _answers(runner: Runner, question: str) -> list[tuple[str | None, ...]]:
    rows: list[tuple[str | None, ...]] = []
    for one in runner.run(question):
        if isinstance(one, Rows):
            rows += one.rows
        elif isinstance(one, Columns):
            rows.clear()
    return rows


def value_of(runner: Runner, setting: str) -> str:
    """Return the value of a setting of the session, empty where it cannot be told."""
    with suppress(FairleadError):
        for value, *_ in _answers(runner, f"SHOW {setting}"):
            return value or ""
    return ""
