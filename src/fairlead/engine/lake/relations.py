"""The relations in which DuckLake 1.0 keeps a catalog, and how their rows belong to tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

FORMAT: Final = "1.0"
"""Version of DuckLake's catalog that these relations are of."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation whose rows belong to tables.

    Args:
        name: in the catalog.
        columns: all of them, in order.
        key: how the table is named: its id, or the id of a file or mapping of the table.
        versions: ``span`` = a row counts from begin_snapshot until end_snapshot; ``begin`` = it has no end;
            ``none`` = it counts always.
    """

    name: str
    columns: tuple[str, ...]
    key: Literal["table_id", "object_id"] = "table_id"
    versions: Literal["span", "begin", "none"] = "none"


def _relation(
    name: str,
    columns: str,
    *,
    key: Literal["table_id", "object_id"] = "table_id",
    versions: Literal["span", "begin", "none"] = "none",
) -> Relation:
    return Relation(f"ducklake_{name}", tuple(columns.split()), key, versions)


SNAPSHOT: Final = _relation("snapshot", "snapshot_id snapshot_time schema_version next_catalog_id next_file_id")
SCHEMA: Final = _relation(
    "schema", "schema_id schema_uuid begin_snapshot end_snapshot schema_name path path_is_relative", versions="span"
)
VIEW: Final = _relation(
    "view",
    "view_id view_uuid begin_snapshot end_snapshot schema_id view_name dialect sql column_aliases",
    versions="span",
)
INLINED_TABLES: Final = _relation("inlined_data_tables", "table_id table_name schema_version")

TABLE: Final = _relation(
    "table",
    "table_id table_uuid begin_snapshot end_snapshot schema_id table_name path path_is_relative",
    versions="span",
)
COLUMN: Final = _relation(
    "column",
    "column_id begin_snapshot end_snapshot table_id column_order column_name column_type initial_default default_value"
    " nulls_allowed parent_column default_value_type default_value_dialect",
    versions="span",
)
SCHEMA_VERSIONS: Final = _relation("schema_versions", "begin_snapshot schema_version table_id", versions="begin")
TAG: Final = _relation("tag", "object_id begin_snapshot end_snapshot key value", key="object_id", versions="span")
COLUMN_TAG: Final = _relation("column_tag", "table_id column_id begin_snapshot end_snapshot key value", versions="span")
STRUCTURE: Final = (TABLE, COLUMN, SCHEMA_VERSIONS, TAG, COLUMN_TAG)
"""What makes a table's shape: no value of any row is in it."""

DATA_FILE: Final = _relation(
    "data_file",
    "data_file_id table_id begin_snapshot end_snapshot file_order path path_is_relative file_format record_count"
    " file_size_bytes footer_size row_id_start partition_id encryption_key mapping_id partial_max",
    versions="span",
)
DELETE_FILE: Final = _relation(
    "delete_file",
    "delete_file_id table_id begin_snapshot end_snapshot data_file_id path path_is_relative format delete_count"
    " file_size_bytes footer_size encryption_key partial_max",
    versions="span",
)
FILES: Final = (DATA_FILE, DELETE_FILE)

OF_FILES: Final = (
    _relation(
        "file_column_stats",
        "data_file_id table_id column_id column_size_bytes value_count null_count min_value max_value contains_nan"
        " extra_stats",
    ),
    _relation(
        "file_variant_stats",
        "data_file_id table_id column_id variant_path shredded_type column_size_bytes value_count null_count min_value"
        " max_value contains_nan extra_stats",
    ),
    _relation("file_partition_value", "data_file_id table_id partition_key_index partition_value"),
)
"""What is known of single data files; of use only together with the file."""

CONTENTS: Final = (
    _relation("table_stats", "table_id record_count next_row_id file_size_bytes"),
    _relation("table_column_stats", "table_id column_id contains_null contains_nan min_value max_value extra_stats"),
    _relation("partition_info", "partition_id table_id begin_snapshot end_snapshot", versions="span"),
    _relation("partition_column", "partition_id table_id partition_key_index column_id transform"),
    _relation("sort_info", "sort_id table_id begin_snapshot end_snapshot", versions="span"),
    _relation("sort_expression", "sort_id table_id sort_key_index expression dialect sort_direction null_order"),
    _relation("column_mapping", "mapping_id table_id type"),
)
"""What else belongs to a table that may be read."""

SHAPE: Final = (
    SCHEMA,
    TABLE,
    COLUMN,
    TAG,
    COLUMN_TAG,
    INLINED_TABLES,
    *(relation for relation in CONTENTS if not relation.name.endswith("_stats")),
)
"""What DuckLake reads once for each version of the schema, and then knows."""

NAME_MAPPING: Final = _relation(
    "name_mapping", "mapping_id column_id source_name target_field_id parent_column is_partition"
)


def inlined_rows(table_id: int, schema_version: int) -> str:
    """Name of the relation with a table's inlined rows of one version of its schema."""
    return f"ducklake_inlined_data_{table_id}_{schema_version}"


def inlined_deletes(table_id: int) -> str:
    """Name of the relation with the rows that are deleted from a table's data files, but not in delete files yet."""
    return f"ducklake_inlined_delete_{table_id}"
