"""What a killed gateway left in a real store is cleared away by the next one; what an export finished stays."""

from __future__ import annotations

import json

import pytest

from fairlead.egress.journal import Entry, Journal
from tests.egress.conftest import real_target
from tests.egress.gate import make_gate
from tests.services.process import wait_until

pytestmark = pytest.mark.services

ID = "e1"


@pytest.fixture
def bucket(minio):
    return minio.bucket("swept")


@pytest.fixture
def sweep(minio, tmp_path):
    """Return what writes lines, forgets everything as a kill does, and lets another egress work them off."""

    def run(*entries: Entry) -> None:
        path = tmp_path / "uploads.db"
        killed = Journal(path)
        for entry in entries:
            written = killed.write(entry)
            if entry.upload_id is not None:
                killed.opened(written.id, entry.upload_id)
        journal = Journal(path)
        gate = make_gate(real_target(minio), journal=journal)
        gate.egress.sweep()
        wait_until(lambda: journal.left() == [], timeout=30)
        assert {row["via"] for kind, row in gate.ledger.rows if kind == "begin"} == {"journal of uploads"}
        gate.close()

    return run


def entry(bucket, key, **more) -> Entry:
    return Entry(7, "main.public.lake", "store", bucket, key, **{"export": ID, "folder": "d/", **more})


def opened(minio, bucket, key) -> str:
    return minio.client().create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]


def uploads(minio, bucket) -> list[str]:
    return [one["Key"] for one in minio.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


def put_manifest(minio, bucket, *names, export=ID):
    body = {"id": export, "files": [{"name": name} for name in names]}
    minio.put(bucket, "d/_manifest.json", json.dumps(body).encode())


def test_an_open_upload_is_aborted(minio, bucket, sweep):
    upload_id = opened(minio, bucket, "k")
    others = opened(minio, bucket, "k2")
    sweep(entry(bucket, "k", upload_id=upload_id, folder=None))
    assert uploads(minio, bucket) == ["k2"]
    minio.client().abort_multipart_upload(Bucket=bucket, Key="k2", UploadId=others)


def test_an_upload_whose_id_was_never_learnt_is_found(minio, bucket, sweep):
    opened(minio, bucket, "d/part-00000.csv")
    opened(minio, bucket, "d/part-00000.csv.gz")
    sweep(entry(bucket, "d/part-00000.csv"))
    assert uploads(minio, bucket) == ["d/part-00000.csv.gz"]


def test_parts_without_a_manifest_go(minio, bucket, sweep):
    for name in ("part-00000.csv", "part-00001.csv", "part-00002.csv"):
        minio.put(bucket, f"d/{name}", b"x")
    sweep(*(entry(bucket, f"d/part-0000{n}.csv", upload_id="gone") for n in range(2)))
    assert minio.keys(bucket) == ["d/part-00002.csv"]  # nobody knows of it


def test_parts_that_the_manifest_lists_stay(minio, bucket, sweep):
    for name in ("part-00000.csv", "part-00001.csv"):
        minio.put(bucket, f"d/{name}", b"x")
    put_manifest(minio, bucket, "part-00001.csv")
    sweep(*(entry(bucket, f"d/part-0000{n}.csv", upload_id="gone") for n in range(2)))
    assert minio.keys(bucket) == ["d/_manifest.json", "d/part-00001.csv"]


@pytest.mark.parametrize(("export", "left"), [(ID, ["part-00001.csv"]), ("before", ["part-00000.csv"])])
def test_an_overwrite_is_finished_or_undone(minio, bucket, sweep, export, left):
    """By the manifest that is there: the new one lists the new part, the old one the old part."""
    for name in ("part-00000.csv", "part-00001.csv"):
        minio.put(bucket, f"d/{name}", b"x")
    put_manifest(minio, bucket, *left, export=export)
    sweep(entry(bucket, "d/part-00001.csv", upload_id="gone"), entry(bucket, "d/part-00000.csv", old=True))
    assert minio.keys(bucket) == ["d/_manifest.json", *(f"d/{name}" for name in left)]


def test_old_parts_of_an_export_without_a_manifest_stay_when_the_new_one_failed(minio, bucket, sweep):
    minio.put(bucket, "d/part-00000.csv", b"of another system")
    sweep(entry(bucket, "d/part-00000.csv", old=True))
    assert minio.keys(bucket) == ["d/part-00000.csv"]


def test_a_single_object_that_was_completed_stays(minio, bucket, sweep):
    minio.put(bucket, "k", b"whole")
    sweep(entry(bucket, "k", upload_id="completed", folder=None))
    assert minio.get(bucket, "k") == b"whole"


def test_a_bucket_that_is_gone_is_no_reason_to_go_on_for_ever(sweep):
    gone = "no-such-bucket-here"
    sweep(entry(gone, "d/part-00000.csv"), entry(gone, "k", upload_id="x", folder=None))
