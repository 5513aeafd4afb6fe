"""The recipe: an in-memory DuckDB that is locked before it sees its first user statement.

The order of the steps matters (measured; shared ENGINE.md, section 3): one thread until Landlock is on, the URL scheme
before external access is switched off, the lock last.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import duckdb

from fairlead.worker.layers import OFF, SWITCHED_OFF, Status

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

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
_HTTP_TIMEOUT_SECONDS: Final = 330  # longer than the gateway waits for a store, so that the gateway's error arrives
_HTTP_RETRIES: Final = 2  # the proxy never answers 5xx for a permanent failure


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension file whose signature has been checked, and the marks by which it is known again."""

    path: str
    sha256: str
    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def at(cls, path: str) -> Extension:
        """Take the marks of the file as it is now."""
        with open(path, "rb") as file:  # noqa: PTH123  # the marks must be those of the descriptor that is read
            mark = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path, digest, mark.st_dev, mark.st_ino, mark.st_size, mark.st_mtime_ns)

    def is_unchanged(self) -> bool:
        """Tell whether the path still leads to the very file that was checked."""
        mark = os.stat(self.path)  # noqa: PTH116  # one call, beside its twin above
        return (mark.st_dev, mark.st_ino, mark.st_size, mark.st_mtime_ns) == (
            self.device, self.inode, self.size, self.changed_ns,
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return it as it travels to the gateway."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one worker's instance is made of.

    Args:
        memory_limit_mb: memory of the engine, MiB.
        threads: of one statement.
        spill: private folder for spilling, None = none.
        spill_limit_mb: MiB.
        port: of the store proxy, on the loopback address.
        fence: mode of the layer.
    """

    memory_limit_mb: int
    threads: int
    spill: str | None
    spill_limit_mb: int
    port: int
    fence: str


def check_signature(path: str) -> Extension:
    """Load an extension with DuckDB's signature check on, in an instance that is closed again.

    Raises:
        duckdb.Error: the signature or the version does not fit.
        OSError: the file changed meanwhile.
    """
    extension = Extension.at(path)
    with duckdb.connect(":memory:", config=_configuration(unsigned=False)) as instance:
        instance.execute("LOAD " + _literal(path))
    if not extension.is_unchanged():
        message = f"the extension file changed while it was checked: {path}"
        raise OSError(message)
    return extension


def _configuration(*, unsigned: bool) -> dict[str, str | bool | int | float | list[str]]:
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


def connect(recipe: Recipe, extension: Extension, *, key_id: str, secret: str) -> DuckDBPyConnection:
    """Open the instance, with everything in it that needs files; the first half of the recipe.

    Args:
        recipe: see there.
        extension: httpfs, checked.
        key_id: of the dummy key that the store proxy knows this worker by.
        secret: of the same.

    Raises:
        OSError: the extension is no longer the one that was checked.
    """
    if not extension.is_unchanged():
        message = f"the extension file is not the one that was checked at start: {extension.path}"
        raise OSError(message)
    configuration = _configuration(unsigned=True)
    configuration["memory_limit"] = f"{recipe.memory_limit_mb}MiB"
    if recipe.spill is not None:
        configuration["temp_directory"] = recipe.spill
        configuration["max_temp_directory_size"] = f"{recipe.spill_limit_mb}MiB"
    instance = duckdb.connect(":memory:", config=configuration)
    instance.execute("LOAD " + _literal(extension.path))
    for name, value in (
        ("http_retries", str(_HTTP_RETRIES)),
        ("http_timeout", str(_HTTP_TIMEOUT_SECONDS)),
        # curl folds `..` before it sends; httplib sends the path as written, so the proxy sees what the user wrote.
        ("httpfs_client_implementation", "'httplib'"),
        # Anything else lets a query see what an earlier key has fetched.
        ("validate_external_file_cache", "'VALIDATE_ALL'"),
        ("enable_http_metadata_cache", "false"),
        # Rows leave as Arrow: every type must come back from it as itself.
        ("arrow_lossless_conversion", "true"),
        ("errors_as_json", "true"),
        ("enable_progress_bar", "false"),
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
    names = ", ".join(_literal(name) for name in CLIENT_SETTINGS)
    for step in (
        f"SET allowed_configs = [{names}]",
        "SET allowed_directories = ['s3://']",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        instance.execute(step)
    return Status(True, "DuckDB is locked: s3:// through the store proxy, nothing else")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
