"""Stages: paths that leave them, other people's, and those that change under a running session."""

# ruff: noqa: E501  # a statement stays on one line, to be read and copied as a whole

from __future__ import annotations

from typing import Final

from tests.security.case import Case, Within, case

_READ: Final = Within(("SELECT count(*) FROM @raw/x.parquet",))
_LIST: Final = Within(("LIST @raw/",))
_BY: Final = "traversal path grant"
_AWAY: Final = (
    ("dots", "SELECT * FROM @raw/../other/x.parquet"),
    ("dots-deep", "SELECT * FROM @raw/sub/../../other/x.parquet"),
    ("dots-quoted", "SELECT * FROM '@raw/../other/x.parquet'"),
    ("dots-in-a-reader", "SELECT * FROM read_parquet('@raw/../other/x.parquet')"),
    ("dots-in-a-list", "SELECT * FROM read_parquet(['@raw/x.parquet', '@raw/../other/x.parquet'])"),
    ("dots-quoted-name", 'SELECT * FROM @"raw"/../other/x.parquet'),
    ("dots-qualified", "SELECT * FROM @main.public.raw/../other/x.parquet"),
    ("encoded-dots", "SELECT * FROM @raw/%2e%2e/other/x.parquet"),
    ("encoded-slash", "SELECT * FROM @raw/..%2fother/x.parquet"),
    ("backslash-dots", "SELECT * FROM '@raw/..\\other\\x.parquet'"),
    ("escaped-dots", "SELECT * FROM @raw/\\.\\./other/x.parquet"),
    ("single-dot", "SELECT * FROM @raw/./x.parquet"),
    ("doubled-slash", "SELECT * FROM @raw/sub//y.parquet"),
    ("dots-in-files", "SELECT * FROM @raw/ (FILES => ('../other/x.parquet'))"),
    ("encoded-dots-in-files", "SELECT * FROM @raw/ (FILES => ('%2e%2e/other/x.parquet'))"),
    ("url-in-files", "SELECT * FROM @raw/ (FILES => ('s3://{b}/other/x.parquet'))"),
    ("absolute-in-files", "SELECT * FROM @raw/ (FILES => ('/etc/passwd'))"),
    ("glob-with-dots", "SELECT * FROM @raw/*/../../other/*.parquet"),
)
_OTHERS: Final = (
    ("of-others", "SELECT * FROM @others/x.parquet"),
    ("of-others-qualified", "SELECT * FROM @main.public.others/x.parquet"),
    ("of-others-quoted", 'SELECT * FROM @"others"/x.parquet'),
    ("of-others-upper-case", "SELECT * FROM @OTHERS/x.parquet"),
    ("of-others-in-a-reader", "SELECT * FROM read_parquet('@others/x.parquet')"),
    ("of-others-joined", "SELECT * FROM @raw/x.parquet AS r, @others/x.parquet AS o"),
    ("of-others-in-a-subquery", "SELECT * FROM (SELECT * FROM @others/x.parquet)"),
    ("missing-is-told-like-forbidden", "SELECT * FROM @nosuch/x.parquet"),
    ("prefix-of-a-name", "SELECT * FROM @ra/x.parquet"),
    ("user-stage", "SELECT * FROM @~/x.parquet"),
    ("write-only-read", "SELECT * FROM @inbox/secret.parquet"),
    ("write-only-read-in-a-reader", "SELECT * FROM read_parquet('@inbox/secret.parquet')"),
)
_CONNECTIONS: Final = (
    ("connection-not-granted", "SELECT * FROM 's3://{b}/other/x.parquet' (CONNECTION => (CONNECTION_NAME = 'lake'))"),
    ("connection-missing", "SELECT * FROM 's3://{b}/other/x.parquet' (CONNECTION => (CONNECTION_NAME = 'nosuch'))"),
)
_USE: Final = "GRANT READ ON STAGE late TO analyst"


def _changes(id_: str, before: str, after: tuple[str, ...], *, by: str = "stage grant") -> Case:
    return case(
        f"stage-{id_}",
        "SELECT * FROM @late/x.parquet",
        by=by,
        control=Within(("SELECT count(*) FROM @late/x.parquet",)),
        before=(before,),
        after=after,
    )


CASES: Final[tuple[Case, ...]] = (
    *(case(f"stage-{id_}", sql, by=f"{_BY} absent engine", control=_READ) for id_, sql in _AWAY),
    *(case(f"stage-{id_}", sql, by="stage kinds grant", control=_READ) for id_, sql in _OTHERS),
    *(case(f"stage-{id_}", sql, by="grant stage", control=_READ) for id_, sql in _CONNECTIONS),
    case(
        "stage-inline-credentials",
        "SELECT * FROM 's3://{b}/other/x.parquet' (CONNECTION => (ACCESS_KEY_ID = 'a', SECRET_ACCESS_KEY = 'b', ENDPOINT_URL = '{H}'))",
        by="inline kinds",
        control=_READ,
    ),
    case(
        "stage-created-on-a-connection-without-right",
        "CREATE STAGE mine URL = 's3://{b}/other/' CONNECTION = (CONNECTION_NAME = 'lake')",
        by="grant stage",
        control=_READ,
    ),
    case(
        "stage-created-with-inline-credentials",
        "CREATE STAGE mine URL = 's3://{b}/other/' CONNECTION = (ACCESS_KEY_ID = 'a' SECRET_ACCESS_KEY = 'b')",
        by="inline grant kinds",
        control=_READ,
    ),
    case("stage-moved-by-a-reader", "ALTER STAGE raw SET URL = 's3://{b}/other/'", by="grant stage", control=_READ),
    case("stage-dropped-by-a-reader", "DROP STAGE raw", by="grant stage", control=_READ),
    case(
        "stage-replaced-by-a-reader",
        "CREATE OR REPLACE STAGE raw URL = 's3://{b}/other/' CONNECTION = (CONNECTION_NAME = 'lake')",
        by="grant stage",
        control=_READ,
    ),
    case("stage-granted-on-by-a-reader", "GRANT READ ON STAGE others TO analyst", by="grant stage", control=_READ),
    case(
        "connection-altered-by-a-reader",
        "ALTER CONNECTION lake SET (ENDPOINT = '{H}')",
        by="grant kinds",
        control=_READ,
    ),
    case("connection-shown-to-a-reader", "SHOW CREATE CONNECTION lake", by="grant", control=_READ),
    case("connection-validated-by-a-reader", "VALIDATE CONNECTION lake", by="grant", control=_READ),
    case(
        "secret-used-by-a-reader",
        "CREATE CONNECTION c TO AWS (ACCESS KEY ID = 'a', SECRET ACCESS KEY = SECRET lake_key, ENDPOINT = '{H}')",
        by="grant",
        control=_READ,
    ),
    case("ledger-read-by-a-reader", "SHOW LEDGER", by="grant", control=_READ),
    case("user-made-by-a-reader", "CREATE USER mallory PASSWORD 'x' SUPERUSER", by="grant kinds engine", control=_READ),
    case("user-raised-by-a-reader", "ALTER USER analyst SUPERUSER", by="grant kinds engine", control=_READ),
    case("role-taken-by-a-reader", "GRANT fairlead TO analyst", by="grant engine", control=_READ),
    case("password-of-another", "ALTER USER bob PASSWORD 'x'", by="grant", control=_READ),
    case("list-above", "LIST @raw/../", by=f"{_BY} kinds", control=_LIST),
    case("list-above-deep", "LIST @raw/sub/../../other/", by=f"{_BY} kinds", control=_LIST),
    case("list-encoded", "LIST @raw/%2e%2e/", by=f"{_BY} kinds absent", control=_LIST),
    case("list-of-others", "LIST @others/", by="stage grant", control=_LIST),
    case("list-write-only", "LIST @inbox/", by="stage grant", control=_LIST),
    case("stage-delete", "REMOVE @raw/x.parquet", by="kinds grant stage", control=_READ),
    case("stage-put", "PUT 'file://{out}/secret.txt' @rw/", by="kinds", control=_READ),
    case("stage-get", "GET @raw/ 'file://{out}/'", by="kinds", control=_READ),
    case("stage-copy-into", "COPY INTO @rw/ FROM (SELECT 1)", by="kinds", control=_READ),
    # What changes while the session lives.
    _changes("revoked", "REVOKE READ ON STAGE late FROM analyst", (_USE,)),
    _changes(
        "dropped",
        "DROP STAGE late",
        ("CREATE STAGE late URL = 's3://{b}/late/' CONNECTION = (CONNECTION_NAME = 'lake')", _USE),
    ),
    _changes(
        "moved",
        "ALTER STAGE late SET URL = 's3://{b}/moved/'",
        ("ALTER STAGE late SET URL = 's3://{b}/late/'",),
        by="absent",
    ),
    _changes(
        "connection-disabled",
        "ALTER CONNECTION lake DISABLE",
        ("ALTER CONNECTION lake ENABLE",),
        by="stage grant engine",
    ),
    case(
        "stage-owner-lost-the-connection",
        "SELECT * FROM @lent/x.parquet",
        by="stage grant",
        control=Within(("SELECT count(*) FROM @lent/x.parquet",)),
        before=("REVOKE USAGE ON CONNECTION lake FROM bob",),
        after=("GRANT USAGE ON CONNECTION lake TO bob",),
    ),
    case(
        "url-after-the-revoke",
        "SELECT * FROM read_parquet('s3://{b}/late/x.parquet')",
        by="grant",
        control=Within(("SELECT count(*) FROM read_parquet('s3://{b}/late/x.parquet')",)),
        before=("REVOKE READ ON STAGE late FROM analyst",),
        after=(_USE,),
    ),
    case(
        "view-after-the-revoke",
        "SELECT * FROM over_late",
        by="grant",
        control=Within(
            ("CREATE OR REPLACE TEMP VIEW over_late AS SELECT * FROM @late/x.parquet", "SELECT count(*) FROM over_late")
        ),
        before=("REVOKE READ ON STAGE late FROM analyst",),
        after=(_USE,),
    ),
    case(
        "role-taken-away",
        "SELECT * FROM @team/x.parquet",
        by="stage grant",
        control=Within(("SELECT count(*) FROM @team/x.parquet",)),
        before=("REVOKE crew FROM analyst",),
        after=("GRANT crew TO analyst",),
    ),
    # Two stages on one bucket, through two connections: neither lends its credential to the other.
    case(
        "two-connections-one-bucket",
        "SELECT * FROM @narrow/../granted/x.parquet",
        by=_BY,
        control=Within(("SELECT count(*) FROM @narrow/x.parquet", "SELECT count(*) FROM @raw/x.parquet")),
    ),
    case(
        "narrow-connection-does-not-borrow",
        "SELECT * FROM @lying/x.parquet",
        by="grant",
        control=Within(("SELECT count(*) FROM @narrow/x.parquet",)),
    ),
    case(
        "equally-near-is-told",
        "SELECT * FROM read_parquet('s3://{b}/twice/x.parquet')",
        by="grant",
        control=Within(("SELECT count(*) FROM @twice_lake/x.parquet", "SELECT count(*) FROM @twice_narrow/x.parquet")),
    ),
)
