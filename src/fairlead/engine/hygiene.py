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

# Names that no ordinary table or column has: refused wherever they stand.
_NAMES: Final = re.compile(
    r"""
    sqlite_(scan|attach|query) | postgres_\w+ | mysql_\w+ | delta_\w+ | iceberg_\w+ | ducklake_\w+ | unity_\w+
    | duckdb_(settings|secrets|secret_types|databases|extensions|external_file_cache|prepared_statements
              |logs|log_contexts|temporary_files|memory|connections|optimizers|variables)
    | which_secret | load_aws_credentials | enable_logging | disable_logging | truncate_duckdb_logs | enable_profiling
    | disable_profiling | json_execute_serialized_sql | arrow_scan\w* | pandas_scan | python_map_function | getenv
    | parse_duckdb_log_message | read_duckdb | __ducklake_metadata_\w+ | checkpoint | force_checkpoint
    | write_log | sql_auto_complete | from_substrait\w* | get_substrait\w*
    | pg_settings | pragma_\w+ | storage_info | database_size | current_setting | set_config
    """,
    re.VERBOSE,
)
# Ordinary words: refused only where they are called.
_CALLS: Final = frozenset({"query", "query_table", "getvariable"})


def refuse_dangerous(statement: ast.DataStatement) -> None:
    """Refuse a statement that names one of the engine's own doors.

    Raises:
        PermissionDenied: with the name.
    """
    found = next((name for name in sorted(statement.identifiers) if _NAMES.fullmatch(name)), None)
    if found is None:
        found = next((name for name in sorted(statement.calls) if name in _CALLS), None)
    if found is not None:
        message = f"{found} is not available in queries"
        raise PermissionDenied(message, hint="it reaches around the connections of this gateway")
