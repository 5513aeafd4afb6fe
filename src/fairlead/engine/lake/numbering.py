"""The ids of rows in a private copy: those that it makes itself begin so high that no real lake ever gets there.

So a row id alone tells whether a row was there before the transaction, without a look at the table as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST_NEW_ROW: Final = 2**50
"""Rows that are made in a private copy have ids from here on."""


def numbering_script(catalog: str) -> list[str]:
    """Statements that end the filling of a private copy.

    Args:
        catalog: the private metadata, quoted, with their schema.
    """
    stats = f"{catalog}.ducklake_table_stats"
    return [
        f"UPDATE {stats} SET next_row_id = {FIRST_NEW_ROW}",  # noqa: S608
        (
            f"INSERT INTO {stats} SELECT table_id, 0, {FIRST_NEW_ROW}, 0 FROM {catalog}.ducklake_table "  # noqa: S608
            f"WHERE end_snapshot IS NULL AND table_id NOT IN (SELECT table_id FROM {stats})"
        ),
    ]


def numbered_question(catalog: str, base: int, tables: Iterable[int]) -> str:
    """A query for those of some tables of the copy whose new rows have no high ids; there should be none.

    Args:
        catalog: the private metadata, quoted, with their schema.
        base: snapshot that the copy was made of.
        tables: ids; those of tables that were made since do not matter.
    """
    return (
        f"SELECT table_id FROM {catalog}.ducklake_table_stats "  # noqa: S608
        f"WHERE next_row_id < {FIRST_NEW_ROW} AND table_id IN ({', '.join(map(str, tables)) or 'NULL'}) "
        f"AND table_id IN (SELECT table_id FROM {catalog}.ducklake_table WHERE begin_snapshot <= {base})"
    )
