"""Settings of the engine: none is the user's, by any statement, scope or function."""

from __future__ import annotations

from typing import Final

from tests.security.case import Bare, Case, case

_NAMES: Final = (
    ("enable_external_access", "true"),
    ("allowed_directories", "['/']"),
    ("allowed_paths", "['/etc/passwd']"),
    ("lock_configuration", "false"),
    ("temp_directory", "'{out}'"),
    ("home_directory", "'{out}'"),
    ("extension_directory", "'{out}'"),
    ("secret_directory", "'{out}'"),
    ("custom_extension_repository", "'{H}'"),
    ("autoinstall_known_extensions", "true"),
    ("autoload_known_extensions", "true"),
    ("allow_community_extensions", "true"),
    ("python_enable_replacements", "true"),
    ("python_scan_all_frames", "true"),
    ("memory_limit", "'100GB'"),
    ("threads", "64"),
    ("log_query_path", "'{scratch}/q'"),
    ("profile_output", "'{scratch}/p'"),
    ("enable_profiling", "'json'"),
    ("http_proxy", "'{h}'"),
    ("s3_endpoint", "'{h}'"),
    ("s3_access_key_id", "'a'"),
    ("s3_url_style", "'path'"),
    ("s3_use_ssl", "false"),
    ("http_timeout", "1"),
    ("disabled_filesystems", "'LocalFileSystem'"),
    ("default_secret_storage", "'x'"),
    ("max_temp_directory_size", "'1TB'"),
    ("enable_http_metadata_cache", "true"),
    ("enable_logging", "true"),
)
# Settings that a running DuckDB refuses too, in words that show that it knows them.
_SAYS: Final = {
    "enable_external_access": "Cannot enable external access",
    "allow_community_extensions": "Cannot change allow_community_extensions",
    "profile_output": "Invalid output file type",
}
_FORMS: Final = (
    ("session", "SET SESSION {name} = {value}"),
    ("global", "SET GLOBAL {name} = {value}"),
    ("local", "SET LOCAL {name} = {value}"),
    ("to", "SET {name} TO {value}"),
    ("quoted", 'SET "{name}" = {value}'),
    ("upper", "SET {NAME} = {value}"),
    ("pragma", "PRAGMA {name} = {value}"),
    ("reset", "RESET {name}"),
    ("reset-global", "RESET GLOBAL {name}"),
)
_SAID: Final = {"session": "cannot be set locally", "local": "SET LOCAL is not implemented"}


def _form(form: str, name: str, value: str) -> str:
    return form.replace("{name}", name).replace("{NAME}", name.upper()).replace("{value}", value)


CASES: Final[tuple[Case, ...]] = (
    *(
        case(
            f"set-{name}",
            f"SET {name} = {value}",
            by="setting kinds",
            control=Bare((f"SET {name} = {value}",), says=_SAYS.get(name)),
        )
        for name, value in _NAMES
    ),
    *(
        case(
            f"set-form-{id_}",
            _form(form, "enable_external_access", "true"),
            by="setting kinds",
            control=Bare((_form(form, "threads", "1"),), says=_SAID.get(id_)),
        )
        for id_, form in _FORMS
    ),
    case(
        "set-config-function",
        "SELECT set_config('enable_external_access', 'true', false)",
        by="hygiene missing engine",
        control=Bare(("SET threads = 1",)),
    ),
    case(
        "current-setting",
        "SELECT current_setting('s3_secret_access_key')",
        by="hygiene setting",
        control=Bare(("SELECT current_setting('http_proxy')",)),
        harmless="statements",
    ),
    case(
        "E18-settings-table",
        "SELECT * FROM duckdb_settings()",
        by="hygiene",
        control=Bare(("SELECT * FROM duckdb_settings()",)),
        harmless="statements",
    ),
    case(
        "E18-settings-view",
        "SELECT * FROM duckdb_settings",
        by="hygiene",
        control=Bare(("SELECT * FROM duckdb_settings()",)),
        harmless="statements",
    ),
    case(
        "show-setting",
        "SHOW s3_secret_access_key",
        by="setting kinds",
        control=Bare(("SELECT current_setting('http_proxy')",)),
    ),
    case(
        "show-allowed-directories",
        "SHOW allowed_directories",
        by="setting kinds",
        control=Bare(("SELECT current_setting('allowed_directories')",)),
    ),
)
