"""DuckDB reads and writes a real, signature-checking store through the proxy."""

from __future__ import annotations

import threading
from dataclasses import replace

import duckdb
import pytest

from fairlead.access.rules import Action, Rule
from fairlead.context import Context
from fairlead.egress.door import Alias
from fairlead.errors import (
    LedgerUnavailable,
    PermissionDenied,
    StoreRefusedCredential,
    StoreUnreachable,
    UndefinedFile,
)
from fairlead.sensitive import Sensitive
from tests.egress.conftest import real_target
from tests.egress.gate import ALL, READ, USER, make_gate
from tests.services.minio import session_key


@pytest.fixture
def bucket(minio):
    name = minio.bucket("acme")
    minio.put(name, "raw/a.csv", b"id,name\n1,one\n2,two\n")
    minio.put(name, "raw/b x+y=ü&.csv", b"id,name\n3,three\n")
    minio.put(name, "raw/year=2024/part.csv", b"id,name\n4,four\n")
    minio.put(name, "other/secret.csv", b"id,name\n9,hidden\n")
    return name


@pytest.fixture
def gate(minio, bucket):
    made = make_gate(real_target(minio))
    made.rules[:] = [Rule(7, bucket, "raw/", READ, "stage main.public.raw", "main.public.lake")]
    yield made
    made.close()


@pytest.fixture
def door(gate):
    return gate.door()


@pytest.fixture
def sql(gate, door):
    connection = gate.duckdb(door)
    yield lambda text: connection.execute(text).fetchall()
    connection.close()


def failed(gate, door, sql, text):
    """Run a statement that must fail; return the cause that egress kept."""
    with pytest.raises(duckdb.Error):
        sql(text)
    return gate.egress.statement_end(door.key_id, "failed").cause


def test_files_globs_partitions_and_odd_names_are_read(sql, bucket):
    assert sql(f"SELECT sum(id) FROM read_csv('s3://{bucket}/raw/a.csv')") == [(3,)]
    assert sql(f"SELECT id FROM read_csv('s3://{bucket}/raw/b x+y=ü&.csv')") == [(3,)]
    assert sql(f"SELECT count(*) FROM glob('s3://{bucket}/raw/**')") == [(3,)]
    assert sql(f"SELECT id, year FROM read_csv('s3://{bucket}/raw/*/*.csv', hive_partitioning = true)") == [(4, 2024)]


def test_a_statement_that_succeeds_is_accounted_for(gate, door, sql, bucket):
    sql(f"FROM read_csv('s3://{bucket}/raw/a.csv')")
    use = gate.egress.statement_end(door.key_id, "ok")
    assert use.cause is None
    assert use.requests >= 2
    assert use.bytes_read >= 20
    assert gate.ledger.kinds()[0] == "begin"
    assert gate.ledger.rows[0][1] | {"version": ""} == {
        "connection_id": 7,
        "connection": "main.public.lake",
        "via": "stage main.public.raw",
        "version": "",
        "action": "read",
        "location": f"s3://{bucket}/raw/",
    }
    assert gate.ledger.kinds().count("begin") == gate.ledger.kinds().count("finish")
    assert {row["outcome"] for kind, row in gate.ledger.rows if kind == "finish"} == {"ok"}


@pytest.mark.parametrize(
    "path",
    [
        "other/secret.csv",
        "raw/../other/secret.csv",
        "raw2/x.csv",
        "raw/./a.csv",
        "raw/%2e%2e/other/secret.csv",
        "*/secret.csv",
    ],
)
def test_what_is_not_granted_is_refused_with_its_cause(gate, door, sql, bucket, path):
    cause = failed(gate, door, sql, f"FROM read_csv('s3://{bucket}/{path}')")
    assert isinstance(cause, PermissionDenied)
    assert "s3://" in cause.message
    assert "refused" in gate.ledger.kinds()


def test_another_bucket_is_refused_before_the_connection_is_opened(gate, door, sql):
    cause = failed(gate, door, sql, "FROM read_csv('s3://elsewhere/raw/a.csv')")
    assert isinstance(cause, PermissionDenied)
    assert gate.opened == []


def test_a_missing_file_is_named(gate, door, sql, bucket):
    cause = failed(gate, door, sql, f"FROM read_csv('s3://{bucket}/raw/nope.csv')")
    assert isinstance(cause, UndefinedFile)
    assert cause.message == f"there is nothing at s3://{bucket}/raw/nope.csv"


def test_a_missing_bucket_is_named(gate, door, sql):
    gate.rules[:] = [Rule(7, None, "", READ, "connection main.public.lake", "main.public.lake")]
    cause = failed(gate, door, sql, "FROM read_csv('s3://no-such-bucket-here/x.csv')")
    assert isinstance(cause, UndefinedFile)
    assert "no bucket no-such-bucket-here" in cause.message


def test_a_missing_file_is_not_the_cause_of_a_statement_that_succeeds(gate, door, bucket):
    reply = gate.request(door, "HEAD", f"/{bucket}/raw/nope.csv")
    assert reply.status == 404
    assert gate.egress.statement_end(door.key_id, "ok").cause is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret_access_key": Sensitive("wrong-secret-wrong")}, "secret access key is wrong"),
        ({"access_key_id": Sensitive("UNKNOWNKEY")}, "access key id is unknown"),
        ({"session_token": Sensitive("no-such-token")}, "token"),
    ],
)
@pytest.mark.parametrize("path", ["a.csv", "*.csv"])
def test_a_refused_credential_is_told_apart_and_not_shown(gate, door, sql, bucket, change, words, path):
    gate.targets[7] = replace(gate.targets[7], **change)
    cause = failed(gate, door, sql, f"FROM read_csv('s3://{bucket}/raw/{path}')")
    assert isinstance(cause, StoreRefusedCredential)
    assert words in cause.message
    assert "main.public.lake" in cause.message
    (value,) = (v.reveal() for v in change.values())
    assert value not in f"{cause.message} {cause.detail} {cause.hint}"


def test_a_store_that_is_not_there_is_told(gate, door, sql, bucket):
    gate.targets[7] = replace(gate.targets[7], endpoint="http://127.0.0.1:9")
    cause = failed(gate, door, sql, f"FROM read_csv('s3://{bucket}/raw/a.csv')")
    assert isinstance(cause, StoreUnreachable)
    assert "127.0.0.1 port 9" in cause.message


def test_a_store_spoken_to_with_tls_that_has_none_is_told(gate, door, sql, bucket):
    plain = gate.targets[7].endpoint
    gate.targets[7] = replace(gate.targets[7], endpoint=plain.replace("http:", "https:"))
    cause = failed(gate, door, sql, f"FROM read_csv('s3://{bucket}/raw/a.csv')")
    assert isinstance(cause, StoreUnreachable)
    assert "http://" in cause.hint


def test_a_revoked_grant_ends_at_the_next_request(gate, door, bucket):
    assert gate.request(door, "GET", f"/{bucket}/raw/a.csv").status == 200
    gate.rules.clear()
    assert gate.request(door, "GET", f"/{bucket}/raw/a.csv").status == 403


def test_a_rotated_credential_is_used_at_the_next_request(gate, door, bucket):
    assert gate.request(door, "GET", f"/{bucket}/raw/a.csv").status == 200
    good = gate.targets[7]
    gate.targets[7] = replace(good, secret_access_key=Sensitive("retired"))
    gate.versions[7] = "7.2"
    assert gate.request(door, "GET", f"/{bucket}/raw/a.csv").status == 403
    gate.targets[7], gate.versions[7] = good, "7.3"
    assert gate.request(door, "GET", f"/{bucket}/raw/a.csv").status == 200
    assert gate.opened == [7, 7, 7]
    begun = [row["version"] for kind, row in gate.ledger.rows if kind == "begin"]
    assert begun == ["7.1", "7.2", "7.3"]


def test_head_get_and_list_agree(gate, door, bucket):
    head = gate.request(door, "HEAD", f"/{bucket}/raw/a.csv")
    whole = gate.request(door, "GET", f"/{bucket}/raw/a.csv")
    part = gate.request(door, "GET", f"/{bucket}/raw/a.csv", range="bytes=3-6")
    listed = gate.request(door, "GET", f"/{bucket}/?encoding-type=url&list-type=2&prefix=raw/a.csv")
    assert head.headers["content-length"] == str(len(whole.body)) == "20"
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"name"[:4], "bytes 3-6/20")
    for name in ("etag", "last-modified", "accept-ranges"):
        assert head.headers[name] == whole.headers[name] == part.headers[name]
    assert head.headers["etag"].strip('"') in listed.body.decode()


def test_an_alias_leads_through_its_connection_and_is_never_shown(gate, door, sql, bucket):
    gate.rules.append(Rule(8, bucket, "raw/", READ, "stage main.public.twin", "main.public.lake"))
    assert "equally well" in gate.request(door, "GET", f"/{bucket}/raw/a.csv").body.decode()
    door.aliases["twin-7f3a"] = Alias(7, bucket)
    assert sql("SELECT sum(id) FROM read_csv('s3://twin-7f3a/raw/a.csv')") == [(3,)]
    gate.egress.statement_begin(door.key_id)
    cause = failed(gate, door, sql, "FROM read_csv('s3://twin-7f3a/raw/nope.csv')")
    assert cause.message == f"there is nothing at s3://{bucket}/raw/nope.csv"


def test_writing_needs_write(gate, door, sql, minio, bucket):
    cause = failed(gate, door, sql, f"COPY (SELECT 1 AS i) TO 's3://{bucket}/raw/w.csv'")
    assert "WRITE is not granted" in cause.message
    assert "raw/w.csv" not in minio.keys(bucket)


def test_small_and_large_files_are_written(gate, door, sql, minio, bucket):
    gate.rules[:] = [Rule(7, bucket, "raw/", ALL, "stage main.public.raw", "main.public.lake")]
    sql(f"COPY (SELECT 1 AS i) TO 's3://{bucket}/raw/w.csv'")
    assert minio.get(bucket, "raw/w.csv") == b"i\n1\n"
    big = f"s3://{bucket}/raw/big ü.csv"
    sql(f"COPY (SELECT i, hash(i) AS h, repeat('x', 40) AS s FROM range(2000000) t(i)) TO '{big}'")
    assert sql(f"SELECT count(*), sum(i), count(DISTINCT h) FROM '{big}'") == [(2000000, 1999999000000, 2000000)]
    use = gate.egress.statement_end(door.key_id, "ok")
    assert use.bytes_written > 100_000_000
    assert uploads(minio, bucket, "raw/big ü.csv") == []


def test_an_upload_that_the_statement_leaves_open_is_aborted(gate, door, minio, bucket):
    gate.rules[:] = [Rule(7, bucket, "raw/", ALL, "stage main.public.raw", "main.public.lake")]
    opened = gate.request(door, "POST", f"/{bucket}/raw/half.csv?uploads=").body.decode()
    upload_id = opened.partition("<UploadId>")[2].partition("<")[0]
    part = gate.request(door, "PUT", f"/{bucket}/raw/half.csv?partNumber=1&uploadId={upload_id}", b"x" * 100)
    assert part.status == 200
    assert len(uploads(minio, bucket, "raw/half.csv")) == 1
    gate.egress.statement_end(door.key_id, "failed")
    assert uploads(minio, bucket, "raw/half.csv") == []
    assert "raw/half.csv" not in minio.keys(bucket)


def test_an_upload_belongs_to_its_statement_and_key(gate, door, minio, bucket):
    gate.rules[:] = [Rule(7, bucket, "raw/", ALL, "stage main.public.raw", "main.public.lake")]
    opened = gate.request(door, "POST", f"/{bucket}/raw/mine.csv?uploads=").body.decode()
    upload_id = opened.partition("<UploadId>")[2].partition("<")[0]
    other = gate.door()
    for who, key in ((other, "mine.csv"), (door, "yours.csv")):
        reply = gate.request(who, "PUT", f"/{bucket}/raw/{key}?partNumber=1&uploadId={upload_id}", b"x")
        assert (reply.status, b"NoSuchUpload" in reply.body) == (404, True)


def test_parts_may_arrive_in_any_order_and_at_once(gate, door, minio, bucket):
    gate.rules[:] = [Rule(7, bucket, "raw/", ALL, "stage main.public.raw", "main.public.lake")]
    path = f"/{bucket}/raw/parts.bin"
    upload_id = (
        gate.request(door, "POST", f"{path}?uploads=").body.decode().partition("<UploadId>")[2].partition("<")[0]
    )
    tags = {}
    bodies = {number: bytes([64 + number]) * (5 * 1024 * 1024) for number in (3, 1, 2)}

    def send(number):
        reply = gate.request(door, "PUT", f"{path}?partNumber={number}&uploadId={upload_id}", bodies[number])
        tags[number] = reply.headers["etag"]

    threads = [threading.Thread(target=send, args=(number,)) for number in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    xml = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{tags[n]}</ETag></Part>" for n in sorted(tags))
    document = f"<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>".encode()
    assert gate.request(door, "POST", f"{path}?uploadId={upload_id}", document).status == 200
    assert minio.get(bucket, "raw/parts.bin") == bodies[1] + bodies[2] + bodies[3]


def test_a_body_that_differs_from_its_signed_hash_is_not_stored(gate, door, minio, bucket):
    gate.rules[:] = [Rule(7, bucket, "raw/", ALL, "stage main.public.raw", "main.public.lake")]
    reply = gate.request(door, "PUT", f"/{bucket}/raw/forged.csv", b"forged", x_amz_content_sha256="0" * 64)
    assert 400 <= reply.status < 500
    assert "raw/forged.csv" not in minio.keys(bucket)


def test_an_object_is_deleted_only_with_delete(gate, door, minio, bucket):
    assert gate.request(door, "DELETE", f"/{bucket}/raw/a.csv").status == 403
    gate.rules[:] = [Rule(7, bucket, "raw/", ALL, "stage main.public.raw", "main.public.lake")]
    assert gate.request(door, "DELETE", f"/{bucket}/raw/a.csv").status == 204
    assert "raw/a.csv" not in minio.keys(bucket)


def test_the_gateway_lists_for_itself_page_by_page(gate, minio, bucket, monkeypatch):
    monkeypatch.setattr("fairlead.egress.listing._PAGE", 2)
    context = Context("session", "statement", USER)
    for number in range(5):
        minio.put(bucket, f"raw/many/{number} ü.csv", b"x" * number)
    found = list(gate.egress.list(context, 7, bucket, "raw/many/"))
    assert [(entry.key, entry.size) for entry in found] == [(f"raw/many/{n} ü.csv", n) for n in range(5)]
    assert all(entry.etag and entry.last_modified.tzinfo is not None for entry in found)
    assert gate.ledger.kinds() == ["begin", "finish"]
    with pytest.raises(PermissionDenied):
        list(gate.egress.list(context, 7, bucket, "other/"))


def test_a_listing_of_the_gateway_fails_closed(gate, bucket):
    gate.ledger.broken = True
    with pytest.raises(LedgerUnavailable):
        list(gate.egress.list(Context("session", "statement", USER), 7, bucket, "raw/"))
    assert gate.opened == []


def test_what_the_store_denies_is_the_stores_denial(gate, door, sql, minio, bucket):
    key = session_key(
        minio, [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{bucket}/elsewhere/*"]}]
    )
    gate.targets[7] = replace(
        gate.targets[7],
        access_key_id=Sensitive(key.access_key_id),
        secret_access_key=Sensitive(key.secret_access_key),
        session_token=Sensitive(key.session_token),
    )
    cause = failed(gate, door, sql, f"FROM read_csv('s3://{bucket}/raw/a.csv')")
    assert isinstance(cause, PermissionDenied)
    assert "the store does not allow it" in cause.message


def test_the_engines_answer_to_a_read_only_action_set(gate, door, bucket):
    gate.rules[:] = [Rule(7, bucket, "raw/", frozenset({Action.LIST}), "stage main.public.raw", "main.public.lake")]
    assert gate.request(door, "GET", f"/{bucket}/?list-type=2&prefix=raw/").status == 200
    assert gate.request(door, "GET", f"/{bucket}/raw/a.csv").status == 403


def uploads(minio, bucket, key):
    # MinIO lists the uploads of one key only.
    return minio.client().list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", [])
