"""The escape corpus: attacks as data, by theme. Names of holes (E1 ...) are those of the measurements of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.security.corpus import (
    catalogs,
    files,
    functions,
    indirection,
    lexer,
    network,
    paths,
    settings,
    stages,
    statements,
    tables,
    writes,
)

if TYPE_CHECKING:
    from tests.security.case import Case

CASES: Final[tuple[Case, ...]] = (
    *paths.CASES,
    *network.CASES,
    *files.CASES,
    *writes.CASES,
    *statements.CASES,
    *settings.CASES,
    *functions.CASES,
    *indirection.CASES,
    *lexer.CASES,
    *stages.CASES,
    *tables.CASES,
    *catalogs.CASES,
)
