"""Hosts that the user chose: by scheme, by URL tricks, by parameters of an S3 URL, by extensions that dial."""

# ruff: noqa: E501  # a statement stays on one line, to be read and copied as a whole

from __future__ import annotations

from typing import Final

from tests.security.case import Bare, Case, Within, case

_HTTP: Final = Bare(("SELECT * FROM read_csv('{H}/x.csv')",), reaches=True)
_S3_ELSEWHERE: Final = Bare(
    (
        (
            "SELECT * FROM read_csv('s3://{b}/granted/t.csv?s3_endpoint={h}&s3_use_ssl=false&s3_url_style=path"
            "&s3_access_key_id=a&s3_secret_access_key=b')"
        ),
    ),
    reaches=True,
)
_FOREIGN: Final = (
    ("http", "http://{h}/x.csv"),
    ("http-upper-case", "HTTP://{h}/x.csv"),
    ("http-with-user", "http://{store}@{h}/x.csv"),
    ("http-with-user-as-store", "http://{h}@{store}/{b}/other/x.csv"),
    ("http-to-the-store", "http://{store}/{b}/other/x.csv"),
    ("E2-http-dots", "http://{h}/granted/../other/x.csv"),
    ("E2-http-encoded-dots", "http://{h}/granted/%2e%2e/other/x.csv"),
    ("https", "https://{h}/x.csv"),
    ("http-localhost", "http://localhost:{port}/x.csv"),
    ("http-decimal-address", "http://2130706433:{port}/x.csv"),
    ("http-ipv6", "http://[::1]:{port}/x.csv"),
    ("http-ipv4-in-ipv6", "http://[::ffff:127.0.0.1]:{port}/x.csv"),
    ("http-metadata-service", "http://169.254.169.254/latest/meta-data/"),
    ("hf", "hf://datasets/a/b/x.csv"),
    ("ftp", "ftp://{h}/x.csv"),
    ("gopher", "gopher://{h}/x.csv"),
)
# Other names of object stores: the worker's key is for s3:// alone.
_STORES: Final = ("s3a", "s3n", "r2", "gcs", "gs", "az", "azure", "abfss", "hdfs", "oss", "S3")
_PARAMETERS: Final = (
    ("E5-endpoint", "s3_endpoint={h}"),
    ("E5-endpoint-plain", "s3_endpoint={h}&s3_use_ssl=false&s3_url_style=path"),
    ("E5-own-key", "s3_access_key_id=AKIA&s3_secret_access_key=x&s3_endpoint={h}&s3_use_ssl=false"),
    ("E5-session-token", "s3_session_token=x&s3_endpoint={h}&s3_use_ssl=false&s3_url_style=path"),
    ("E5-region", "s3_region=x&s3_endpoint={h}&s3_use_ssl=false&s3_url_style=path"),
)
_EXTENSIONS: Final = (
    ("E9-postgres-scan", "SELECT * FROM postgres_scan('host=127.0.0.1 port={port} user=u', 'public', 't')", "postgres"),
    ("E9-postgres-socket", "SELECT * FROM postgres_scan('host={out} user=u', 'public', 't')", "postgres"),
    ("E10-postgres-query", "SELECT * FROM postgres_query('pg', 'SELECT 1')", "postgres"),
    ("E10-mysql-query", "SELECT * FROM mysql_query('m', 'SELECT 1')", "mysql"),
    ("E13-delta-scan", "SELECT * FROM delta_scan('{H}/t')", "delta"),
    ("E13-delta-list-files", "SELECT * FROM delta_list_files('{H}/t')", "delta|does not exist"),
    ("iceberg-scan", "SELECT * FROM iceberg_scan('{H}/t')", "iceberg|avro"),
    ("iceberg-metadata", "SELECT * FROM iceberg_metadata('{H}/t')", "iceberg|avro"),
)

CASES: Final[tuple[Case, ...]] = (
    case(
        "E6-store-redirects",
        "SELECT * FROM read_csv('@redirected/x.csv')",
        by="redirect",
        control=Bare(("SELECT * FROM read_csv('{R}/x.csv')",), reaches=True),
    ),
    case(
        "E6-store-redirects-a-listing",
        "LIST @redirected/",
        by="redirect",
        control=Bare(("SELECT * FROM read_csv('{R}/x.csv')",), reaches=True),
    ),
    case(
        "E6-store-redirects-a-write",
        "COPY (SELECT 1) TO '@redirected_out/x.csv'",
        by="redirect",
        control=Bare(("SELECT * FROM read_csv('{R}/x.csv')",), reaches=True),
    ),
    *(
        case(
            id_, f"SELECT * FROM read_csv('{url}')", by="scheme fence namespace landlock missing engine", control=_HTTP
        )
        for id_, url in _FOREIGN
    ),
    *(
        case(f"bare-{id_}", f"FROM '{url}'", by="scheme fence namespace landlock missing engine", control=_HTTP)
        for id_, url in _FOREIGN[:4]
    ),
    *(
        case(
            f"store-scheme-{scheme}",
            f"SELECT * FROM read_csv('{scheme}://{{b}}/other/x.csv')",
            by="scheme fence grant namespace landlock missing",
            control=Within(("SELECT * FROM read_csv('s3://{b}/granted/t.csv')",)),
        )
        for scheme in _STORES
    ),
    *(
        case(
            id_,
            f"SELECT * FROM read_csv('s3://{{b}}/granted/t.csv?{query}')",
            by="request path fence namespace landlock",
            control=_S3_ELSEWHERE,
        )
        for id_, query in _PARAMETERS
    ),
    case(
        "E5-own-key-alone",
        "SELECT * FROM read_csv('s3://{b}/granted/t.csv?s3_access_key_id=a&s3_secret_access_key=b')",
        by="door",
        control=_S3_ELSEWHERE,
    ),
    case(
        "E5-bucket-as-host",
        "SELECT * FROM read_csv('s3://{b}/granted/t.csv?s3_url_style=vhost')",
        by="namespace landlock fence",
        control=_S3_ELSEWHERE,
    ),
    case(
        "E5-encrypted",
        "SELECT * FROM read_csv('s3://{b}/granted/t.csv?s3_use_ssl=true')",
        by="url",
        control=_S3_ELSEWHERE,
    ),
    case(
        "E5-requester-pays",
        "SELECT * FROM read_csv('s3://{b}/granted/t.csv?s3_requester_pays=true')",
        by="request",
        control=_S3_ELSEWHERE,
    ),
    case(
        "E5-write-to-endpoint",
        "COPY (SELECT 1) TO 's3://{b}/rw/w.csv?s3_endpoint={h}&s3_use_ssl=false&s3_url_style=path'",
        by="request path fence namespace landlock",
        control=_S3_ELSEWHERE,
    ),
    case(
        "E5-through-a-stage",
        "SELECT * FROM '@raw/t.csv?s3_endpoint={h}&s3_use_ssl=false&s3_url_style=path'",
        by="request path fence namespace landlock",
        control=Within(("SELECT * FROM '@raw/t.csv'",)),
    ),
    case(
        "E5-through-files-of-a-stage",
        "SELECT * FROM @raw/ (FILE_FORMAT => 'csv', FILES => ('t.csv?s3_endpoint={h}&s3_use_ssl=false&s3_url_style=path'))",
        by="request path fence namespace landlock",
        control=Within(("SELECT * FROM @raw/ (FILE_FORMAT => 'csv', FILES => ('t.csv'))",)),
    ),
    *(
        case(id_, sql, by="hygiene missing", control=Bare((sql,), says=says), harmless="")
        for id_, sql, says in _EXTENSIONS
    ),
    case(
        "list-with-a-host",
        "SELECT * FROM read_csv(['s3://{b}/granted/t.csv', '{H}/x.csv'])",
        by="scheme fence namespace landlock",
        control=_HTTP,
    ),
    case(
        "host-as-parameter",
        "SELECT * FROM read_csv(%s)",
        by="scheme fence namespace landlock",
        parameters=("{H}/x.csv",),
        control=_HTTP,
    ),
    case(
        "host-computed",
        "SELECT * FROM read_csv('ht' || 'tp://{h}/x.csv')",
        by="scheme fence namespace landlock",
        control=_HTTP,
    ),
)
