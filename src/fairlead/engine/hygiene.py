"""Functions and relations of the engine that a data statement may not name: clear errors, not the boundary.

Each entry is one of the holes measured in the engine (escape suite, tests/security). The boundary is the worker's
missing network, its file rules and the store proxy; with this list switched off the suite still passes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead.errors import PermissionDenied

if TYPE_CHECKING:
    from fairlead.lang import ast

# Relations of the engine's own: refused wherever they stand.
_RELATIONS: Final = re.compile(
    r"""
    duckdb_(settings|secrets|secret_types|databases|extensions|external_file_cache|prepared_statements
            |logs|log_contexts|temporary_files|memory|connections|optimizers|variables)
    | pg_settings | __ducklake_metadata.*
    """,
    re.VERBOSE | re.DOTALL,
)
# Functions: their names may be somebody's columns, so they are refused where they are called.
_FUNCTIONS: Final = re.compile(
    r"""
    sqlite_(scan|attach|query) | postgres_\w+ | mysql_\w+ | delta_\w+ | iceberg_\w+ | ducklake_\w+ | unity_\w+
    | set_option | set_commit_message  # of an attached lake
    | which_secret | load_aws_credentials | enable_logging | disable_logging | truncate_duckdb_logs | enable_profiling
    | disable_profiling | json_execute_serialized_sql | arrow_scan\w* | pandas_scan | python_map_function | getenv
    | parse_duckdb_log_message | read_duckdb | checkpoint | force_checkpoint
    | write_log | sql_auto_complete | from_substrait\w* | get_substrait\w*
    | pragma_\w+ | storage_info | database_size | current_setting | set_config | query | query_table | getvariable
    """,
    re.VERBOSE,
)


def refuse_dangerous(
    statement: ast.DataStatement, ours: frozenset[str] = frozenset(), answered: frozenset[str] = frozenset()
) -> None:
    """Refuse a statement that names one of the engine's own doors.

    Args:
        statement: the user's.
        ours: identifiers that do not reach the engine, because something of the gateway's stands for each of them.
        answered: functions whose calls never reach the engine.

    Raises:
        PermissionDenied: with the name.
    """
    found = next((name for name in sorted(statement.identifiers - ours) if _RELATIONS.fullmatch(name)), None)
    if found is None:
        found = next((name for name in sorted(statement.calls - ours - answered) if _FUNCTIONS.fullmatch(name)), None)
    if found is not None:
        message = f"{found} is not available in queries"
        raise PermissionDenied(message, hint="it reaches around the connections of this gateway")
