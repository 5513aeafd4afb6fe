"""The recipe: an in-memory DuckDB that is locked before it sees its first user statement.

The order of the steps matters (measured; shared ENGINE.md, section 3): one thread until Landlock is on, the URL scheme
before external access is switched off, the lock last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb

from fairlead.worker.layers import OFF, SWITCHED_OFF, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from fairlead.worker.extensions import Extension
    from fairlead.worker.place import Place

# What clients may change later: settings that alter how a value is read or shown, and nothing else.
CLIENT_SETTINGS: Final = (
    "TimeZone",
    "Calendar",
    "default_null_order",
    "default_order",
    "ieee_floating_point_ops",
    "integer_division",
    "preserve_insertion_order",
)
# Set by the worker itself, when it is asked to report progress; harmless in other hands.
_OWN_SETTINGS: Final = ("enable_progress_bar",)
_HTTP_TIMEOUT_SECONDS: Final = 330  # longer than the gateway waits for a store, so that the gateway's error arrives
_HTTP_RETRIES: Final = 2  # the proxy never answers 5xx for a permanent failure


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one worker's instance is made of.

    Args:
        memory_limit_mb: memory of the engine, MiB.
        threads: of one statement.
        place: the folders that are left to it.
        spill_limit_mb: what it may spill, MiB.
        port: of the store proxy, on the loopback address.
        fence: mode of the layer.
    """

    memory_limit_mb: int
    threads: int
    place: Place
    spill_limit_mb: int
    port: int
    fence: str


def configuration(*, unsigned: bool) -> dict[str, str | bool | int | float | list[str]]:
    """Return the settings that every instance in this process starts with.

    Args:
        unsigned: load extensions without checking their signature again.
    """
    return {
        "threads": "1",
        "temp_directory": "",
        "extension_directory": "/nonexistent",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_unsigned_extensions": "true" if unsigned else "false",
        "allow_persistent_secrets": "false",
        "python_enable_replacements": "false",
    }


def connect(recipe: Recipe, extensions: Sequence[Extension], *, key_id: str, secret: str) -> DuckDBPyConnection:
    """Open the instance, with everything in it that needs files; the first half of the recipe.

    Args:
        recipe: see there.
        extensions: to be loaded, checked.
        key_id: of the dummy key that the store proxy knows this worker by.
        secret: of the same.

    Raises:
        OSError: an extension is no longer the one that was checked.
    """
    settings = configuration(unsigned=True)
    settings["memory_limit"] = f"{recipe.memory_limit_mb}MiB"
    if recipe.place.spill is not None:
        settings["temp_directory"] = recipe.place.spill
        settings["max_temp_directory_size"] = f"{recipe.spill_limit_mb}MiB"
    instance = duckdb.connect(":memory:", config=settings)
    for extension in extensions:
        extension.load(instance)
    for name, value in (
        ("http_retries", str(_HTTP_RETRIES)),
        ("http_timeout", str(_HTTP_TIMEOUT_SECONDS)),
        # curl folds `..` before it sends; httplib sends the path as written, so the proxy sees what the user wrote.
        ("httpfs_client_implementation", "'httplib'"),
        # Anything else lets a query see what an earlier key has fetched.
        ("validate_external_file_cache", "'VALIDATE_ALL'"),
        ("enable_http_metadata_cache", "false"),
        # Footers are parsed once; each open still asks the store, and a file that has changed is read anew.
        ("parquet_metadata_cache", "true"),
        # Rows leave as Arrow: every type must come back from it as itself.
        ("arrow_lossless_conversion", "true"),
        ("errors_as_json", "true"),
        ("enable_progress_bar", "false"),
        ("enable_progress_bar_print", "false"),
    ):
        instance.execute(f"SET {name} = {value}")
    instance.execute(
        "CREATE TEMPORARY SECRET store (TYPE s3, KEY_ID $1, SECRET $2, ENDPOINT $3, REGION 'us-east-1',"
        " URL_STYLE 'path', USE_SSL false, SCOPE 's3://')",
        [key_id, secret, f"127.0.0.1:{recipe.port}"],
    )
    return instance


def lock(instance: DuckDBPyConnection, recipe: Recipe) -> Status:
    """Raise the number of threads and close the fence; the second half, after Landlock."""
    instance.execute(f"SET threads = {recipe.threads:d}")
    if recipe.fence == OFF:
        return Status(False, SWITCHED_OFF)
    names = ", ".join(_literal(name) for name in (*CLIENT_SETTINGS, *_OWN_SETTINGS))
    places = [folder + "/" for folder in (*recipe.place.writable, *recipe.place.readable)]
    folders = ", ".join(_literal(folder) for folder in ("s3://", *places))
    for step in (
        f"SET allowed_configs = [{names}]",
        f"SET allowed_directories = [{folders}]",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        instance.execute(step)
    return Status(True, "DuckDB is locked: s3:// through the store proxy and its own folders, nothing else")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
