"""Names of the engine's own that a data statement may not say, as they are typed."""

from __future__ import annotations

import pytest

from fairlead.engine.hygiene import refuse_dangerous
from fairlead.errors import PermissionDenied
from fairlead.lang.parser import parse

REFUSED = [
    "SELECT * FROM __ducklake_metadata_main_.ducklake_table",
    "SELECT * FROM __DuckLake_Metadata_main_.main.ducklake_table",
    'SELECT * FROM "__ducklake_metadata_my-db".ducklake_table',
    'SELECT * FROM "__DUCKLAKE_METADATA_a b.c".ducklake_table',
    'FROM "__ducklake_metadata_ü""x".ducklake_table',
    'FROM "__ducklake_metadata_\n".ducklake_table',
    "FROM '__ducklake_metadata_main_.ducklake_table'",
    "UPDATE \"__ducklake_metadata_x\".ducklake_data_file SET path = 's3://b/x'",
    'SELECT __ducklake_metadata_x.ducklake_table.table_name FROM "a"',
    "CREATE TABLE __ducklake_metadata_x.t (i INT)",
    'SUMMARIZE "__ducklake_metadata_my-db".ducklake_table',
    "FROM ducklake_snapshots('x')",
    "FROM system.main.ducklake_add_data_files('x', 't', 's3://b/x')",
    "FROM x.set_option('parquet_compression', 'zstd')",
    "FROM set_commit_message('somebody', 'else')",
]
ALLOWED = [
    "SELECT set_option FROM ducklake_orders",
    "SELECT * FROM my__ducklake_metadata_x",
    "SELECT 'FROM __ducklake_metadata_x.t' AS text",
]


@pytest.mark.parametrize("text", REFUSED)
def test_the_inside_of_a_lake_cannot_be_named_in_any_spelling(text):
    (statement,) = parse(text)
    with pytest.raises(PermissionDenied, match="is not available in queries"):
        refuse_dangerous(statement)


@pytest.mark.parametrize("text", ALLOWED)
def test_names_of_the_users_own_are_no_matter(text):
    (statement,) = parse(text)
    refuse_dangerous(statement)
