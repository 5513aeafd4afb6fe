"""Libraries and tools that ask what there is: SQLAlchemy, psycopg, asyncpg, pgcli, and the questions of BI tools."""

# ruff: noqa: E501  # the questions of tools stay as they are sent

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]
import psycopg
import pytest
import sqlalchemy as sa
from pgcli.pgexecute import PGExecute  # type: ignore[import-untyped]
from psycopg.types import TypeInfo
from psycopg.types.composite import CompositeInfo
from psycopg.types.enum import EnumInfo

from tests.e2e.introspection import make

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.introspection import Place
    from tests.services.gateway import Gateway


@pytest.fixture(scope="module")
def place(gateway: Gateway) -> Place:
    return make(gateway)


@pytest.fixture(params=["psycopg2", "psycopg"])
def engine(request: pytest.FixtureRequest, place: Place) -> Iterator[sa.Engine]:
    # psycopg looks for hstore in a savepoint.
    options: dict[str, Any] = {"use_native_hstore": False} if request.param == "psycopg" else {}
    engine = sa.create_engine(place.url(request.param), connect_args={"sslmode": "require"}, **options)
    yield engine
    engine.dispose()


def test_sqlalchemy_reflects_tables_views_columns_and_comments(engine: sa.Engine) -> None:
    found = sa.inspect(engine)
    assert found.get_schema_names() == ["fairlead", "information_schema", "public", "sales"]
    assert found.get_table_names() == ["orders", "secrets_of_hr"]
    assert found.get_table_names(schema="sales") == ["deals"]
    assert sorted(found.get_view_names()) == ["hidden_view", "paid_orders"]
    columns = {column["name"]: column for column in found.get_columns("orders")}
    assert [str(column["type"]) for column in columns.values()] == [
        *("BIGINT", "TEXT", "NUMERIC(10, 2)", "ARRAY", "TIMESTAMP", "BOOLEAN"),
    ]
    assert (columns["id"]["nullable"], columns["note"]["default"], columns["note"]["comment"]) == (
        *(False, "'none'", "free text"),
    )
    assert found.get_table_comment("orders") == {"text": "what was ordered"}
    assert [(c["name"], str(c["type"])) for c in found.get_columns("paid_orders")] == [
        *(("id", "BIGINT"), ("twice", "NUMERIC(18, 2)")),
    ]
    assert found.get_view_definition("paid_orders") == "SELECT id, amount * 2 AS twice FROM orders WHERE paid"
    assert found.get_pk_constraint("orders")["constrained_columns"] == []
    for empty in (found.get_foreign_keys, found.get_indexes, found.get_unique_constraints, found.get_check_constraints):
        assert empty("orders") == []
    assert (found.has_table("orders"), found.has_table("nothing"), found.has_schema("sales")) == (True, False, True)


def test_sqlalchemy_makes_reflects_and_drops_its_own_tables(engine: sa.Engine) -> None:
    made = sa.MetaData()
    table = sa.Table("made", made, sa.Column("a", sa.BigInteger, nullable=False), sa.Column("b", sa.Text, comment="c"))
    made.create_all(engine)
    reflected = sa.MetaData()
    reflected.reflect(engine, views=True)
    assert {"made", "orders", "paid_orders"} <= set(reflected.tables)
    assert reflected.tables["made"].c.b.comment == "c"
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"a": 1, "b": "x"}])
        assert connection.execute(sa.select(reflected.tables["made"])).all() == [(1, "x")]
    made.drop_all(engine)
    assert not sa.inspect(engine).has_table("made")


def test_reflection_inside_a_transaction_sees_what_the_transaction_has_made(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE TABLE in_block (a INTEGER, b VARCHAR)"))
        assert [column["name"] for column in sa.inspect(connection).get_columns("in_block")] == ["a", "b"]
        connection.rollback()
        assert not sa.inspect(connection).has_table("in_block")


def test_psycopg_finds_types_by_name(place: Place) -> None:
    with place.admin() as admin:
        found = TypeInfo.fetch(admin, "numeric")
        assert found is not None
        assert (found.oid, found.array_oid, found.regtype) == (1700, 1231, "numeric")
        assert TypeInfo.fetch(admin, "hstore") is None
        assert EnumInfo.fetch(admin, "mood") is None
        assert CompositeInfo.fetch(admin, "point3") is None


def test_asyncpg_sets_a_codec_by_the_name_of_a_type(place: Place) -> None:
    async def work() -> Any:
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        host, port = place.gateway.address
        connection = await asyncpg.connect(
            host=host, port=port, user="fairlead", password=place.gateway.password, database=place.database, ssl=trust
        )
        try:
            await connection.set_type_codec("json", encoder=str, decoder=len, schema="pg_catalog")
            await connection.reload_schema_state()
            return await connection.fetchval("""SELECT '{"a": 1}'::JSON""")
        finally:
            await connection.close()

    assert asyncio.run(work()) == len('{"a": 1}')


def test_pgcli_fills_its_completions(place: Place) -> None:
    host, port = place.gateway.address
    run = PGExecute(place.database, "fairlead", place.gateway.password, host, port, sslmode="require")
    try:
        assert ("public",) in [tuple(row) if not isinstance(row, str) else (row,) for row in run.schemata()]
        assert set(run.tables()) >= {("public", "orders"), ("sales", "deals")}
        assert ("public", "paid_orders") in set(run.views())
        columns = {(row[0], row[1], row[2], row[3]) for row in run.table_columns()}
        assert ("public", "orders", "amount", "numeric") in columns
        assert ("public", "paid_orders", "twice", "numeric") in {tuple(row[:4]) for row in run.view_columns()}
        assert place.database in run.databases()
        assert run.search_path() == ["pg_catalog", "public"]
        assert list(run.foreignkeys()) == []
        assert list(run.functions()) == []
        assert list(run.datatypes()) == []
        assert run.view_definition("paid_orders").endswith("FROM orders WHERE paid")
        assert run.short_host
    finally:
        run.conn.close()


_BI = {
    "DBeaver, databases": (
        "SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate ORDER BY db.datname"
    ),
    "DBeaver, settings": "select * from pg_catalog.pg_settings where name='standard_conforming_strings'",
    "DBeaver, keywords": (
        "select string_agg(word, ',') from pg_catalog.pg_get_keywords() where word <> ALL ('{a,abs,absolute}'::text[])"
    ),
    "DBeaver, schemas": (
        "SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d "
        "ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname"
    ),
    "DBeaver, constraints": (
        "SELECT c.oid,c.*,t.relname as tabrelname,rt.relnamespace as refnamespace,d.description, null as consrc_copy "
        "FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid LEFT OUTER JOIN "
        "pg_catalog.pg_class rt ON rt.oid=c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid "
        "AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass WHERE c.conrelid=16400 ORDER BY c.oid"
    ),
    "DBeaver, tables": (
        "SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr,  "
        "pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN "
        "pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass "
        "WHERE c.relnamespace='public'::regnamespace AND c.relkind not in ('i','I','c')"
    ),
    "DBeaver, columns": (
        "SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dsc.description,dep.objid "
        "FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid) LEFT OUTER JOIN "
        "pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum) LEFT OUTER JOIN "
        "pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid) LEFT OUTER JOIN "
        "pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and "
        "dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.relkind not in ('i','I','c') "
        "AND c.oid='orders'::regclass ORDER BY a.attnum"
    ),
    "DBeaver, types": (
        "SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, "
        "d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem "
        "LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d "
        "ON t.oid=d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') "
        "AND (et.typcategory IS NULL OR et.typcategory <> 'C')"
    ),
    "DBeaver, roles": (
        "SELECT a.oid,a.*,pd.description FROM pg_catalog.pg_roles a left join pg_catalog.pg_shdescription pd "
        "on a.oid = pd.objoid ORDER BY a.rolname"
    ),
    "DBeaver, sizes": (
        "select c.oid,pg_catalog.pg_total_relation_size(c.oid) as total_rel_size,pg_catalog.pg_relation_size(c.oid) "
        "as rel_size FROM pg_class c WHERE c.relnamespace='public'::regnamespace"
    ),
    "Metabase, tables": (
        "SELECT n.nspname AS schema, c.relname AS name, CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' END "
        "AS type, d.description AS description, NULLIF(stat.n_live_tup, 0) AS estimated_row_count "
        "FROM pg_catalog.pg_class AS c INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid "
        "LEFT JOIN pg_catalog.pg_description AS d ON ((c.oid = d.objoid) AND (d.objsubid = 0) AND "
        "(d.classoid = 'pg_class'::regclass)) LEFT JOIN pg_stat_user_tables AS stat ON ((n.nspname = stat.schemaname) "
        "AND (c.relname = stat.relname)) WHERE ((c.relnamespace = n.oid) AND "
        "(n.nspname !~ 'information_schema|catalog_history|pg_') AND c.relkind IN ('r', 'p', 'v', 'f', 'm')) "
        "AND (n.nspname IN ('public')) ORDER BY type ASC, schema ASC, name ASC"
    ),
    "Metabase, rights": (
        "with table_privileges as (select NULL as role, t.schemaname as schema, t.objectname as table, "
        "pg_catalog.has_any_column_privilege(current_user, '\"' || replace(t.schemaname, '\"', '\"\"') || '\"' || '.' || "
        "'\"' || replace(t.objectname, '\"', '\"\"') || '\"', 'update') as update, "
        "pg_catalog.has_table_privilege(current_user, '\"' || t.schemaname || '\".\"' || t.objectname || '\"', 'delete') "
        "as delete from (select schemaname, tablename as objectname from pg_catalog.pg_tables union "
        "select schemaname, viewname as objectname from pg_views union select schemaname, matviewname as objectname "
        "from pg_matviews) t where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema' and "
        "pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')) select t.* from table_privileges t"
    ),
    "Metabase, fields": (
        "SELECT c.column_name AS name, c.udt_name AS type, c.ordinal_position - 1 AS position, c.table_schema, "
        "c.table_name, pk.column_name IS NOT NULL AS is_pk, col_description(CAST(CAST(format('%I.%I', "
        "CAST(c.table_schema AS TEXT), CAST(c.table_name AS TEXT)) AS REGCLASS) AS OID), c.ordinal_position) "
        'AS "field-comment" FROM information_schema.columns AS c LEFT JOIN (SELECT tc.table_schema, tc.table_name, '
        "kc.column_name FROM information_schema.table_constraints AS tc INNER JOIN "
        "information_schema.key_column_usage AS kc ON (tc.constraint_name = kc.constraint_name) AND "
        "(tc.table_schema = kc.table_schema) WHERE tc.constraint_type = 'PRIMARY KEY') AS pk ON "
        "(c.table_schema = pk.table_schema) AND (c.table_name = pk.table_name) AND (c.column_name = pk.column_name) "
        "WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND (c.table_schema IN ('public'))"
    ),
    "Superset, views": (
        "SELECT table_name FROM information_schema.views WHERE table_schema = 'public' ORDER BY table_name"
    ),
    "Tableau, primary keys": (
        "SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME, "
        "(information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME FROM pg_catalog.pg_class ct "
        "JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON "
        "(ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci "
        "ON (ci.oid = i.indexrelid) WHERE true AND i.indisprimary"
    ),
    "grants": (
        "select grantee, privilege_type from information_schema.role_table_grants where grantor = current_role "
        "and grantee != current_role and table_schema = 'public' and table_name = 'orders'"
    ),
}


@pytest.mark.parametrize("query", _BI.values(), ids=_BI.keys())
def test_a_start_up_question_of_a_tool_is_answered(place: Place, query: str) -> None:
    with place.admin() as admin, place.read() as reader:
        for who in (admin, reader):
            who.execute(query)  # type: ignore[call-overload]
        assert "secrets_of_hr" not in str(reader.execute(query).fetchall())  # type: ignore[call-overload]
        assert admin.execute(query, prepare=True).description is not None  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 'orders'::regclass::oid = (SELECT oid FROM pg_class WHERE relname = 'orders')", True),
        ("SELECT c.oid::regclass::text FROM pg_class c WHERE relname = 'deals'", "sales.deals"),
        ("SELECT oid::regclass FROM pg_class WHERE relname = 'orders'", "orders"),
        ("SELECT to_regclass('nothing')", None),
        ("SELECT format_type(1700, 655366), 1", "numeric(10,2)"),
        ("SELECT has_table_privilege('orders', 'SELECT')", True),
        ("SELECT has_table_privilege('orders', 'INSERT, DELETE')", True),
        ("SELECT obj_description('orders'::regclass)", "what was ordered"),
        ("SELECT obj_description('orders'::regclass, 'pg_class')", "what was ordered"),
        ("SELECT col_description('orders'::regclass, 2)", "free text"),
        ("SELECT current_database() = table_catalog FROM information_schema.tables LIMIT 1", True),
        ("SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders'", 6),
        ("SELECT data_type FROM information_schema.columns WHERE column_name = 'tags'", "ARRAY"),
        ("SELECT numeric_scale FROM information_schema.columns WHERE column_name = 'amount'", 2),
        ("SELECT 'x' FROM pg_class WHERE relname ~ '^ord' AND relname !~ 'rdx' AND relname ~* 'ORD'", "x"),
        ("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'orders'", "fairlead"),
        (
            "SELECT pg_catalog.array_to_string(ARRAY(SELECT nspname FROM pg_namespace WHERE oid = 11), ',')",
            "pg_catalog",
        ),
        ("SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid()", 1),
        ("SELECT setting FROM pg_settings WHERE name = 'TimeZone'", "UTC"),
        ("WITH pg_class AS (SELECT 1 AS a) SELECT a FROM pg_class", 1),
        ("SELECT typname FROM pg_type WHERE oid = (SELECT atttypid FROM pg_attribute WHERE attname = 'tags')", "_int4"),
    ],
)
def test_catalogs_and_their_functions_agree(place: Place, query: str, expected: object) -> None:
    with place.admin() as admin:
        row = admin.execute(query).fetchone()  # type: ignore[call-overload]
        assert row is not None
        assert row[0] == expected


def test_the_catalogs_of_another_database_are_reached_by_its_name(place: Place) -> None:
    listed = f"SELECT table_name FROM {place.database}.information_schema.tables WHERE table_schema = 'sales'"
    with place.gateway.connect() as admin:
        assert admin.execute(listed).fetchall() == [("deals",)]  # type: ignore[call-overload]
        assert admin.execute("SELECT 1 FROM information_schema.tables WHERE table_schema = 'sales'").fetchall() == []
    with place.gateway.connect(place.reader, "a reader's own password") as reader:
        assert reader.execute(listed).fetchall() == []  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("SELECT * FROM pg_catalog.pg_nothing", "42P01"),
        ("DELETE FROM pg_catalog.pg_class", "42501"),
        ("INSERT INTO pg_class VALUES (1)", "42501"),
        ("DROP TABLE pg_catalog.pg_class", "42501"),
        ("SELECT * FROM nowhere.pg_catalog.pg_class", "3D000"),
        ("CREATE TEMP VIEW v AS SELECT * FROM pg_class", "0A000"),
    ],
)
def test_what_is_not_there_or_may_not_be_changed_is_refused(place: Place, statement: str, state: str) -> None:
    with place.admin() as admin, pytest.raises(psycopg.Error) as caught:
        admin.execute(statement)  # type: ignore[call-overload]
    assert caught.value.sqlstate == state


def test_connections_and_stages_are_relations(place: Place) -> None:
    with place.admin() as admin:
        admin.execute("CREATE SECRET lake_key AS 'wJalrXUtnFEMIK7MDENGbPxRfiCYzzzz'")
        admin.execute(
            "CREATE CONNECTION lake TO AWS (ACCESS KEY ID = 'AKIAEXAMPLE', SECRET ACCESS KEY = SECRET lake_key,"
            " REGION = 'eu-west-1')"
        )
        admin.execute("CREATE STAGE raw URL = 's3://acme/raw/' CONNECTION = (CONNECTION_NAME = 'lake')")
        assert admin.execute("SELECT name, url, connection FROM fairlead.stages").fetchall() == [
            ("raw", "s3://acme/raw/", f"{place.database}.public.lake")
        ]
        assert admin.execute("SELECT name, owner FROM fairlead.connections").fetchall() == [("lake", "fairlead")]
        assert admin.execute("SELECT srvname FROM pg_foreign_server").fetchall() == [("lake",)]
        everything = [
            admin.execute(f"SELECT * FROM {name}").fetchall()  # type: ignore[call-overload]
            for name in ("fairlead.connections", "fairlead.stages", "pg_foreign_server")
        ]
        assert "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzz" not in str(everything)
    with place.read() as reader:
        assert reader.execute("SELECT * FROM fairlead.connections").fetchall() == []
        assert reader.execute("SELECT * FROM fairlead.stages").fetchall() == []
        assert reader.execute("SELECT * FROM pg_foreign_server").fetchall() == []


def test_a_view_over_the_catalogs_shows_what_its_owner_sees(place: Place) -> None:
    with place.admin() as admin:
        admin.execute("CREATE VIEW listed AS SELECT relname FROM pg_class WHERE relname LIKE 'secrets%'")
        admin.execute(f"GRANT SELECT ON listed TO {place.reader}")  # type: ignore[call-overload]
        assert admin.execute("SELECT * FROM listed").fetchall() == [("secrets_of_hr",)]
    with place.read() as reader:
        assert reader.execute("SELECT * FROM listed").fetchall() == [("secrets_of_hr",)]
        assert reader.execute("SELECT relname FROM pg_class WHERE relname LIKE 'secrets%'").fetchall() == []
