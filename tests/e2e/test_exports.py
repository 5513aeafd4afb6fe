"""SELECT ... INTO LINK and COPY ... TO on a real store: names, bytes, manifests, refusals (singlestore.md 44-49)."""

from __future__ import annotations

import gzip
import json
from typing import Any

import psycopg
import pytest

pytestmark = pytest.mark.services

Client = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def links(admin, lake) -> Client:
    """The administrator, with a table; ``lake`` is the link to the store."""
    admin.execute("CREATE TEMP TABLE t1 AS SELECT i, CASE WHEN i % 2 = 0 THEN 'a' || i END AS s FROM range(4) t(i)")
    return admin


@pytest.fixture
def bucket(minio) -> str:
    return minio.bucket("testing")


def open_uploads(minio, bucket) -> list[str]:
    return [entry["Key"] for entry in minio.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


def refused(client: Client, sql: str) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught:
        client.execute(sql)
    return caught.value


def test_one_object_of_exactly_that_name(links, minio, bucket):
    done = links.execute(f"SELECT * FROM t1 ORDER BY i INTO LINK lake '{bucket}/output'")
    assert done.statusmessage == "SELECT 4"
    assert minio.keys(bucket) == ["output"]
    assert minio.get(bucket, "output") == b"0\ta0\n1\t\\N\n2\ta2\n3\t\\N\n"
    assert open_uploads(minio, bucket) == []


def test_what_is_there_is_replaced_only_when_asked_for(links, minio, bucket):
    minio.put(bucket, "output", b"old")
    told = refused(links, f"SELECT * FROM t1 INTO LINK lake '{bucket}/output'")
    assert told.sqlstate == "58P02"
    assert told.diag.message_primary == f'"{bucket}/output" already exists; add ENABLE_OVERWRITE to replace it'
    assert minio.get(bucket, "output") == b"old"
    links.execute(f"SELECT 7 INTO LINK lake '{bucket}/output' ENABLE_OVERWRITE")
    assert minio.get(bucket, "output") == b"7\n"


def test_the_refusal_comes_before_the_query_runs(links, minio, bucket):
    minio.put(bucket, "output", b"old")
    told = refused(links, f"SELECT error('the query ran') INTO LINK lake '{bucket}/output'")
    assert told.sqlstate == "58P02"


def test_a_longer_name_is_not_in_the_way(links, minio, bucket):
    minio.put(bucket, "output2", b"")
    minio.put(bucket, "output/x", b"")
    assert links.execute(f"SELECT 1 INTO LINK lake '{bucket}/output'").statusmessage == "SELECT 1"


def manifest(minio, bucket, folder) -> dict[str, Any]:
    return json.loads(minio.get(bucket, f"{folder}_manifest.json"))


@pytest.mark.parametrize(
    ("options", "suffix"), [("FORMAT PARQUET", ".parquet"), ("", ".csv"), ("FORMAT JSON", ".json")]
)
def test_a_folder_has_parts_and_a_manifest(links, minio, bucket, options, suffix):
    links.execute(f"SELECT i, i * 2 AS j FROM range(500000) t(i) INTO LINK lake '{bucket}/dir/' {options}")
    told = manifest(minio, bucket, "dir/")
    names = [file["name"] for file in told["files"]]
    assert names == [f"part-{at:05d}{suffix}" for at in range(len(names))]
    assert minio.keys(bucket) == sorted(f"dir/{name}" for name in ["_manifest.json", *names])
    assert (told["rows"], told["format"]) == (500000, suffix[1:])
    for file in told["files"]:
        head = minio.client().head_object(Bucket=bucket, Key=f"dir/{file['name']}")
        assert (head["ContentLength"], head["ETag"].strip('"')) == (file["bytes"], file["etag"])
    reader = {".csv": "read_csv", ".json": "read_json", ".parquet": "read_parquet"}[suffix]
    rows = links.execute(f"SELECT count(*), sum(COLUMNS(*)) FROM {reader}('s3://{bucket}/dir/part-*')").fetchone()
    assert rows is not None
    assert [int(value) for value in rows] == [500000, 124999750000, 249999500000]


def test_a_parquet_manifest_counts_the_rows_of_each_file(links, minio, bucket):
    links.execute(f"SELECT * FROM range(1000000) INTO LINK lake '{bucket}/dir/' FORMAT PARQUET")
    told = manifest(minio, bucket, "dir/")
    assert sum(file["rows"] for file in told["files"]) == told["rows"] == 1000000


def test_an_overwritten_folder_takes_new_names_and_drops_the_old_parts(links, minio, bucket):
    links.execute(f"SELECT 1 AS a INTO LINK lake '{bucket}/d/' FORMAT PARQUET")
    before = manifest(minio, bucket, "d/")
    minio.put(bucket, "d/part-00007.parquet", b"of somebody's export without a manifest")
    minio.put(bucket, "d/notes.txt", b"kept")
    assert refused(links, f"SELECT 2 AS a INTO LINK lake '{bucket}/d/' FORMAT PARQUET").sqlstate == "58P02"
    links.execute(f"SELECT 2 AS a INTO LINK lake '{bucket}/d/' FORMAT PARQUET ENABLE_OVERWRITE")
    after = manifest(minio, bucket, "d/")
    assert [file["name"] for file in after["files"]] == ["part-00008.parquet"]
    assert after["id"] != before["id"]
    assert minio.keys(bucket) == ["d/_manifest.json", "d/notes.txt", "d/part-00008.parquet"]
    assert links.execute(f"SELECT a FROM 's3://{bucket}/d/part-00008.parquet'").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("options", "body"),
    [("", b""), ("HEADER", b"i\ts\n"), ("FORMAT JSON", b"")],
)
def test_no_rows_give_an_empty_object(links, minio, bucket, options, body):
    done = links.execute(f"SELECT * FROM t1 WHERE false INTO LINK lake '{bucket}/none' {options}")
    assert done.statusmessage == "SELECT 0"
    assert minio.get(bucket, "none") == body
    assert open_uploads(minio, bucket) == []


def test_no_rows_give_a_parquet_file_with_the_columns(links, minio, bucket):
    links.execute(f"SELECT * FROM t1 WHERE false INTO LINK lake '{bucket}/none' FORMAT PARQUET")
    columns = links.execute(f"DESCRIBE SELECT * FROM read_parquet('s3://{bucket}/none')").fetchall()
    assert [row[:2] for row in columns] == [("i", "BIGINT"), ("s", "VARCHAR")]


def test_csv_is_written_as_asked_for(links, minio, bucket):
    links.execute(
        f"""SELECT 1 AS a, 'x"y' AS b, NULL AS c INTO LINK lake '{bucket}/k'
            FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' LINES TERMINATED BY '\\r\\n' HEADER"""
    )
    assert minio.get(bucket, "k") == b'"a","b","c"\r\n1,"x\\"y",\\N\r\n'


def test_the_strict_dialect_reads_its_own_strings(links, minio, bucket):
    links.execute("SET dialect = 'singlestore'")
    try:
        links.execute(
            f"SELECT 'it''s', 2 INTO LINK main.lake \"{bucket}/k\" FIELDS TERMINATED BY '\\t\\t' ENCLOSED BY '\\''"
        )
    finally:
        links.execute("SET dialect = 'native'")
    assert minio.get(bucket, "k") == b"'it\\'s'\t\t'2'\n"


def test_compression_is_gzip(links, minio, bucket):
    links.execute(f"SELECT * FROM range(3) INTO LINK lake '{bucket}/z' WITH COMPRESSION")
    links.execute(f"SELECT * FROM range(3) INTO LINK lake '{bucket}/z/' WITH COMPRESSION")
    assert gzip.decompress(minio.get(bucket, "z")) == b"0\n1\n2\n"
    (file,) = manifest(minio, bucket, "z/")["files"]
    assert file["name"] == "part-00000.csv.gz"
    assert gzip.decompress(minio.get(bucket, f"z/{file['name']}")) == b"0\n1\n2\n"


def test_parameters_stages_and_tables_stand_in_the_query(links, minio, bucket):
    sql = f"SELECT count(*) + %s FROM @raw/customers.csv INTO LINK lake '{bucket}/k'"
    assert links.execute(sql, (5,)).statusmessage == "SELECT 1"
    assert minio.get(bucket, "k") == b"55\n"


def test_a_notice_says_what_was_written(links, minio, bucket):
    heard: list[str] = []
    listener = heard.append
    handler = lambda diagnostic: listener(str(diagnostic.message_primary))  # noqa: E731
    links.add_notice_handler(handler)
    try:
        links.execute(f"SELECT * FROM range(3) INTO LINK lake '{bucket}/k'")
    finally:
        links.remove_notice_handler(handler)
    (told,) = heard
    assert told.startswith("exported 3 rows in 1 file, 6 bytes, in ")
    assert told.endswith(f' s to "{bucket}/k"')


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("{bucket}/../other", "22023"),
        ("{bucket}/./k", "22023"),
        ("{bucket}/a//k", "22023"),
        ("{bucket}/a\nk", "22023"),
        ("/k", "22023"),
        ("{bucket}", "22023"),
        ("gs://{bucket}/k", "22023"),
        ("{bucket}/*.csv", "22023"),
    ],
)
def test_a_path_that_is_none_is_refused_before_any_call(links, minio, bucket, path, state):
    rows = links.execute("SHOW LEDGER LIMIT 1").fetchall()
    told = refused(links, f"SELECT 1 INTO LINK lake '{path.format(bucket=bucket)}'")
    assert told.sqlstate == state, str(told)
    assert links.execute("SHOW LEDGER LIMIT 1").fetchall() == rows, "something was asked of the store"


def test_rights_are_those_on_links(gateway, links, minio, bucket):
    links.execute("CREATE USER exporter PASSWORD 'exporter password'")
    with gateway.connect("exporter", "exporter password") as exporter:
        sql = f"SELECT 1 INTO LINK lake '{bucket}/k'"
        told = refused(exporter, sql)
        missing = refused(exporter, f"SELECT 1 INTO LINK nothing '{bucket}/k'")
        assert (told.sqlstate, missing.sqlstate) == ("42501", "42501")
        assert told.diag.message_primary == 'permission denied for link "main.lake"'
        assert missing.diag.message_primary == 'permission denied for link "main.nothing"'
        links.execute("GRANT SHOW LINK ON main.* TO 'exporter'")
        assert exporter.execute(sql).statusmessage == "SELECT 1"
        links.execute("REVOKE SHOW LINK ON main.* FROM 'exporter'")
        assert refused(exporter, sql + " ENABLE_OVERWRITE").sqlstate == "42501"
    assert refused(links, f"SELECT 1 INTO LINK nothing '{bucket}/k'").sqlstate == "42704"


def test_the_use_is_on_record(links, minio, bucket):
    links.execute(f"SELECT 1 INTO LINK lake '{bucket}/k'")
    rows = links.execute("SHOW LEDGER LIMIT 10").fetchall()
    uses = [" ".join(map(str, row)) for row in rows if row[2] == "use" and bucket in str(row)]
    assert any("write" in use and "main.public.lake" in use for use in uses), rows


def test_a_failing_query_leaves_nothing(links, minio, bucket):
    half = "SELECT i, repeat('x', 1000), CASE WHEN i = 290000 THEN error('half way') END FROM range(300000) t(i)"
    for target in ("k", "d/"):
        told = refused(links, f"{half} INTO LINK lake '{bucket}/{target}'")
        assert told.diag.message_primary == "half way"
        assert minio.keys(bucket) == []
        assert open_uploads(minio, bucket) == []


def test_a_plain_copy_that_fails_leaves_nothing(links, minio, bucket):
    links.execute(f"CREATE STAGE plain URL = 's3://{bucket}/' CONNECTION = (CONNECTION_NAME = 'lake')")
    half = "SELECT i, repeat('x', 1000), CASE WHEN i = 290000 THEN error('half way') END FROM range(300000) t(i)"
    assert refused(links, f"COPY ({half}) TO '@plain/k.csv' (FORMAT csv)").diag.message_primary == "half way"
    assert minio.keys(bucket) == []
    assert open_uploads(minio, bucket) == []
    links.execute("COPY (SELECT 1 AS a WHERE false) TO '@plain/empty.csv' (FORMAT csv, HEADER false)")
    links.execute("COPY (SELECT i, repeat('x', 1000) FROM range(200000) t(i)) TO '@plain/big.csv' (FORMAT csv)")
    assert minio.keys(bucket) == ["big.csv", "empty.csv"]
    links.execute("DROP STAGE plain")


def test_a_position_in_an_error_is_where_it_was_typed(links, bucket):
    sql = f"SELECT 1,\n nope FROM t1 INTO LINK lake '{bucket}/k'"
    told = refused(links, sql)
    assert told.sqlstate == "42703"
    assert sql[int(str(told.diag.statement_position)) - 1 :].startswith("nope")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_copy_with_a_connection_writes_below_the_prefix(links, minio, bucket, kind):
    done = links.execute(
        f"COPY (SELECT i, md5(i::VARCHAR) AS m FROM range(1200000) t(i)) TO 's3://{bucket}/out' "
        f"WITH (AWS CONNECTION = lake, FORMAT = '{kind}', MAX FILE SIZE = '16MB')"
    )
    assert done.statusmessage == "COPY 1200000"
    files = manifest(minio, bucket, "out/")["files"]
    assert len(files) > 1
    assert minio.keys(bucket) == sorted(["out/_manifest.json", *(f"out/{file['name']}" for file in files)])
    read = f"SELECT count(*) FROM read_{kind}('s3://{bucket}/out/part-*')"
    assert links.execute(read).fetchone() == (1200000,)
    again = f"COPY t1 TO 's3://{bucket}/out' WITH (AWS CONNECTION = lake, FORMAT = '{kind}')"
    assert refused(links, again).sqlstate == "58P02"


def test_copy_of_a_table(links, minio, bucket):
    links.execute(f"COPY t1 TO 's3://{bucket}/o/' WITH (AWS CONNECTION = lake, FORMAT = csv, HEADER)")
    assert minio.get(bucket, "o/part-00000.csv") == b"i,s\n0,a0\n1,\n2,a2\n3,\n"


def test_no_secret_is_in_the_journal_or_the_log(gateway, links, minio, bucket):
    links.execute(f"SELECT 1 INTO LINK lake '{bucket}/k'")
    secret = minio.key.secret_access_key.encode()
    for path in gateway.data.glob("uploads.db*"):
        assert secret not in path.read_bytes()
    assert secret.decode() not in gateway.log
