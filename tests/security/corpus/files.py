"""Files of the gateway's machine: absolute, relative, through /proc and /dev, through every reader."""

from __future__ import annotations

from typing import Final

from tests.security.case import Bare, Case, Within, case

_BY: Final = "fence landlock missing absent scheme"
_LOCAL: Final = (
    ("absolute", "{out}/secret.txt"),
    ("etc-passwd", "/etc/passwd"),
    ("relative", "secret.txt"),
    ("relative-up", "../../../../../../../../etc/passwd"),
    ("home", "~/secret.txt"),
    ("file-scheme", "file://{out}/secret.txt"),
    ("file-scheme-short", "file:{out}/secret.txt"),
    ("file-scheme-localhost", "file://localhost{out}/secret.txt"),
    ("own-environment", "/proc/self/environ"),
    ("own-command-line", "/proc/self/cmdline"),
    ("own-memory-map", "/proc/self/maps"),
    ("own-memory", "/proc/self/mem"),
    ("own-descriptors", "/proc/self/fd/0"),
    ("another-process", "/proc/{gateway_pid}/environ"),
    ("another-process-root", "/proc/{gateway_pid}/root/etc/passwd"),
    ("device-descriptor", "/dev/fd/0"),
    ("keyring", "{data}/keyring.json"),
    ("catalog", "{catalog}"),
    ("server-key", "{data}/server.key"),
    ("doubled-slashes", "//etc//passwd"),
    ("symbolic-link", "{out}/link.txt"),
    ("backslashes", r"\etc\passwd"),
    ("gzip-suffix", "{out}/secret.txt.gz"),
)
_READERS: Final = (
    ("read-blob", "SELECT * FROM read_blob('{out}/secret.txt')"),
    ("read-csv", "SELECT * FROM read_csv('{out}/secret.csv')"),
    ("read-csv-auto", "SELECT * FROM read_csv_auto('{out}/secret.csv')"),
    ("read-json", "SELECT * FROM read_json('{out}/secret.json')"),
    ("read-json-objects", "SELECT * FROM read_json_objects('{out}/secret.json')"),
    ("read-ndjson", "SELECT * FROM read_ndjson('{out}/secret.json')"),
    ("read-parquet", "SELECT * FROM read_parquet('{out}/secret.parquet')"),
    ("parquet-scan", "SELECT * FROM parquet_scan('{out}/secret.parquet')"),
    ("parquet-file-metadata", "SELECT * FROM parquet_file_metadata('{out}/secret.parquet')"),
    ("parquet-bloom-probe", "SELECT * FROM parquet_bloom_probe('{out}/secret.parquet', 'b', 'x')"),
    ("local-sniff", "SELECT * FROM sniff_csv('{out}/secret.csv')"),
    ("replacement-scan", "FROM '{out}/secret.csv'"),
    ("replacement-scan-identifier", 'FROM "{out}/secret.csv"'),
    ("replacement-scan-parquet", "FROM '{out}/secret.parquet'"),
    ("replacement-scan-database", "FROM '{out}/secret.db'"),
    ("local-list", "SELECT * FROM read_text(['s3://{b}/granted/t.csv', '{out}/secret.txt'])"),
    ("local-computed", "SELECT * FROM read_text('/e' || 'tc/passwd')"),
)

CASES: Final[tuple[Case, ...]] = (
    *(
        case(
            f"file-{id_}",
            f"SELECT * FROM read_text('{path}')",
            by=_BY,
            control=Bare(("SELECT * FROM read_text('{out}/secret.txt')",)),
            harmless="fence",  # read_text finds nothing, and says so with no rows
        )
        for id_, path in _LOCAL
    ),
    *(
        case(
            f"file-{id_}",
            sql,
            by=f"{_BY} hygiene",
            control=Bare((sql.replace("s3://{b}/granted/t.csv", "{out}/secret.csv"),)),
        )
        for id_, sql in _READERS
        if id_ != "replacement-scan-database"
    ),
    case(
        "file-glob",
        "SELECT * FROM glob('{out}/*')",
        by=_BY,
        control=Bare(("SELECT * FROM glob('{out}/*')",)),
        harmless="fence",
    ),
    case(
        "file-glob-root",
        "SELECT * FROM glob('/*')",
        by=_BY,
        control=Bare(("SELECT * FROM glob('/*')",)),
        harmless="fence",
    ),
    case(
        "file-glob-own-descriptors",
        "SELECT * FROM glob('/proc/self/fd/*')",
        by=_BY,
        control=Bare(("SELECT * FROM glob('/proc/self/fd/*')",)),
        harmless="fence",
    ),
    case(
        "file-glob-read",
        "SELECT * FROM read_text('/etc/*')",
        by=_BY,
        control=Bare(("SELECT * FROM read_text('/etc/host*')",)),
        harmless="fence",
    ),
    case(
        "file-as-parameter",
        "SELECT * FROM read_text(%s)",
        by=_BY,
        parameters=("{out}/secret.txt",),
        control=Within(("SELECT * FROM read_text(%s)",), ("s3://{b}/granted/t.csv",)),
    ),
    case(
        "file-by-database-name",
        "SELECT * FROM read_duckdb('{out}/secret.db', table_name => 't')",
        by=f"{_BY} hygiene",
        control=Bare(("SELECT * FROM read_duckdb('{out}/secret.db', table_name => 't')",)),
    ),
    case(
        "E7-sqlite-scan",
        "SELECT * FROM sqlite_scan('{out}/secret.sqlite', 't')",
        by="hygiene missing",
        control=Bare(("SELECT * FROM sqlite_scan('{out}/secret.sqlite', 't')",), says="sqlite_scanner extension"),
    ),
    case(
        "E7-sqlite-query",
        "SELECT * FROM sqlite_query('{out}/secret.sqlite', 'SELECT 1')",
        by="hygiene missing",
        control=Bare(("SELECT * FROM sqlite_query('s', 'SELECT 1')",), says="sqlite_scanner extension"),
    ),
    case(
        "E20-temp-directory-glob",
        "SELECT * FROM glob('/tmp/*')",
        by=_BY,
        control=Bare(("SELECT * FROM glob('/tmp/*')",)),
        harmless="fence",
    ),
)
