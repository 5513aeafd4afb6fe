from __future__ import annotations

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.egress import sigv4
from fairlead.sensitive import Sensitive

SECRET = Sensitive("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


def test_the_example_of_the_s3_reference_gets_its_signature():
    signed = sigv4.authorization(
        "AKIAIOSFODNN7EXAMPLE",
        SECRET,
        "us-east-1",
        method="GET",
        path="/test.txt",
        query=(),
        headers={
            "host": "examplebucket.s3.amazonaws.com",
            "range": "bytes=0-9",
            "x-amz-content-sha256": sigv4.EMPTY_SHA256,
            "x-amz-date": "20130524T000000Z",
        },
    )
    assert signed.endswith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")


@given(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x24FF), min_size=1, max_size=20),
    st.dictionaries(st.text("abcz-.", min_size=1, max_size=5), st.text(max_size=10), max_size=3),
)
def test_signatures_equal_those_of_another_implementation(key, query):
    path = "/bucket/" + sigv4.encode(key, slash="/")
    url = f"http://store:9000{path}" + (f"?{sigv4.encode_query(query.items())}" if query else "")
    request = botocore.awsrequest.AWSRequest("GET", url, headers={"host": "store:9000"})
    request.headers["x-amz-content-sha256"] = sigv4.EMPTY_SHA256
    signer = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials("AKID", SECRET.reveal()), "s3", "eu-west-1")
    signer.add_auth(request)
    ours = sigv4.authorization(
        "AKID",
        SECRET,
        "eu-west-1",
        method="GET",
        path=path,
        query=tuple(query.items()),
        headers={
            "host": "store:9000",
            "x-amz-content-sha256": request.headers["X-Amz-Content-SHA256"],
            "x-amz-date": request.headers["X-Amz-Date"],
        },
    )
    assert ours.split("Signature=")[1] == request.headers["Authorization"].split("Signature=")[1]


def headers_of(**changes: str) -> dict[str, str]:
    base = {"host": "h", "x-amz-date": sigv4.now(), "x-amz-content-sha256": sigv4.EMPTY_SHA256}
    return base | {name.replace("_", "-"): value for name, value in changes.items()}


def claim_of(headers: dict[str, str], **changes) -> sigv4.Claim:
    arguments = {"method": "GET", "path": "/acme/x", "query": (("a", "1"),), "headers": headers} | changes
    return sigv4.parse_authorization({"authorization": sigv4.authorization("KEYID", SECRET, "us-east-1", **arguments)})


def test_a_right_signature_is_accepted():
    headers = headers_of()
    sigv4.verify(claim_of(headers), SECRET, method="GET", path="/acme/x", query=(("a", "1"),), headers=headers)


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"path": "/acme/y"},
        {"path": "/acme/%78"},
        {"query": ()},
        {"query": (("a", "2"),)},
    ],
)
def test_a_signature_does_not_fit_another_request(changed):
    headers = headers_of()
    request = {"method": "GET", "path": "/acme/x", "query": (("a", "1"),), "headers": headers} | changed
    with pytest.raises(sigv4.BadSignature):
        sigv4.verify(claim_of(headers), SECRET, **request)


def test_a_signature_of_another_secret_is_refused():
    headers = headers_of()
    with pytest.raises(sigv4.BadSignature, match="does not match"):
        sigv4.verify(
            claim_of(headers), Sensitive("other"), method="GET", path="/acme/x", query=(("a", "1"),), headers=headers
        )


@pytest.mark.parametrize("stamp", ["20130524T000000Z", "20991231T235959Z", "20261332T000000Z"])
def test_a_request_of_another_time_is_refused(stamp):
    headers = headers_of(x_amz_date=stamp)
    with pytest.raises(sigv4.BadSignature, match="time"):
        sigv4.verify(claim_of(headers), SECRET, method="GET", path="/acme/x", query=(("a", "1"),), headers=headers)


def test_an_amz_header_that_was_not_signed_is_refused():
    headers = headers_of()
    claim = claim_of(headers)
    with pytest.raises(sigv4.BadSignature, match="must be signed"):
        sigv4.verify(
            claim, SECRET, method="GET", path="/acme/x", query=(("a", "1"),),
            headers=headers | {"x-amz-copy-source": "/other/x"},
        )  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer x",
        "AWS4-HMAC-SHA256 Credential=K/20261121/us-east-1/s3/aws4_request",
        "AWS4-HMAC-SHA256 Credential=KEYID/20261121/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature="
        + "0" * 64,
        "AWS4-HMAC-SHA256 Credential=KEYID/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, Signature="
        + "0" * 63,
    ],
)
def test_an_authorization_of_another_form_is_refused(header):
    with pytest.raises(sigv4.BadSignature):
        sigv4.parse_authorization({"authorization": header})
