from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.egress import causes
from fairlead.egress.paths import Place
from fairlead.errors import FairleadError, PermissionDenied, StoreError, StoreRefusedCredential, UndefinedFile

PLACE = Place("acme", "raw/x")


@pytest.mark.parametrize(
    ("status", "code", "kind", "sent", "passing"),
    [
        (404, "NoSuchKey", UndefinedFile, 404, True),
        (404, "", UndefinedFile, 404, True),
        (404, "NoSuchBucket", UndefinedFile, 404, False),
        (403, "AccessDenied", PermissionDenied, 403, False),
        (403, "", PermissionDenied, 403, False),
        (401, "Unauthorized", PermissionDenied, 403, False),
        (403, "InvalidAccessKeyId", StoreRefusedCredential, 403, False),
        (403, "SignatureDoesNotMatch", StoreRefusedCredential, 403, False),
        (400, "ExpiredToken", StoreRefusedCredential, 403, False),
        (400, "InvalidToken", StoreRefusedCredential, 403, False),
        (403, "RequestTimeTooSkewed", StoreRefusedCredential, 403, False),
        (301, "PermanentRedirect", StoreError, 403, False),
        (307, "", StoreError, 403, False),
        (400, "AuthorizationHeaderMalformed", StoreError, 403, False),
        (503, "SlowDown", StoreError, 503, True),
        (429, "", StoreError, 503, True),
        (500, "InternalError", StoreError, 503, True),
        (501, "NotImplemented", StoreError, 424, False),
        (400, "EntityTooLarge", StoreError, 400, False),
    ],
)
def test_an_answer_becomes_an_error_that_says_where(status, code, kind, sent, passing):
    body = f"<Error><Code>{code}</Code><Message>secret words</Message></Error>".encode() if code else b""
    failure = causes.from_answer(status, {}, body, PLACE, "main.public.lake")
    assert (type(failure.error), failure.status, failure.passing) == (kind, sent, passing)
    assert "s3://acme/raw/x" in f"{failure.error.message} {failure.error.detail}"
    assert "secret words" not in f"{failure.error.message} {failure.error.detail} {failure.error.hint}"


@given(st.integers(100, 599), st.binary(max_size=200))
def test_every_answer_has_a_meaning_and_only_passing_ones_are_5xx(status, body):
    failure = causes.from_answer(status, {}, body, PLACE, "main.public.lake")
    assert isinstance(failure.error, FairleadError)
    assert failure.status < 500 or failure.passing


def test_receipts_are_read():
    assert causes.upload_id(b"<r><UploadId>a.b-c_~1</UploadId></r>") == "a.b-c_~1"
    assert causes.upload_id(b"<r><UploadId>a<b</UploadId></r>") is None
    assert causes.etag(b"<r><ETag>&quot;0f-2&quot;</ETag></r>") == "0f-2"
    assert causes.etag(b"<r/>") == ""
