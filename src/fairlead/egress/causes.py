"""What a store's refusal means: from its status and error code to an error of ours, told in the user's own terms.

Source of the codes: Amazon S3 API Reference, "Error responses". Texts of stores are not repeated, because some of them
hold signatures and tokens; the code is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.errors import (
    DestinationRefused,
    FairleadError,
    PermissionDenied,
    StoreError,
    StoreRefusedCredential,
    StoreUnreachable,
    UndefinedFile,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.egress.paths import Place

_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")
_ETAG = re.compile(rb"<ETag>(?:&quot;|&#34;|\")?([0-9A-Za-z-]{1,128})(?:&quot;|&#34;|\")?</ETag>")
_UPLOAD_ID = re.compile(rb"<UploadId>([\x21-\x25\x27-\x3b\x3d\x3f-\x7e]{1,1024})</UploadId>")
_REGION = re.compile(rb"<Region>([a-z0-9-]{1,32})</Region>")

_BY_STATUS: Final = {
    301: "PermanentRedirect",
    302: "Redirect",
    303: "Redirect",
    307: "TemporaryRedirect",
    308: "PermanentRedirect",
    403: "AccessDenied",
    404: "NoSuchKey",
    416: "InvalidRange",
    429: "SlowDown",
    503: "SlowDown",
}
_THROTTLED: Final = frozenset(
    {"SlowDown", "ServiceUnavailable", "RequestLimitExceeded", "Throttling", "TooManyRequests"}
)
_TRANSIENT: Final = _THROTTLED | {"InternalError", "RequestTimeout", "OperationAborted"}
_ROTATE: Final = "ALTER the secret or the connection with a credential that the store accepts"
_REFUSED_CREDENTIAL: Final = {
    "InvalidAccessKeyId": "the access key id is unknown there",
    "SignatureDoesNotMatch": "the secret access key is wrong",
    "InvalidToken": "the session token is not valid",
    "InvalidTokenId": "the session token is not valid",
    "InvalidSecurity": "the credential is not valid",
    "AuthFailure": "the credential is not valid",
    "ExpiredToken": "the session token has expired",
    "TokenRefreshRequired": "the session token has expired",
    "RequestExpired": "the request has expired; is the clock of this machine right?",
    "RequestTimeTooSkewed": "the clock of this machine differs too much from the store's",
}
_ELSEWHERE: Final = frozenset(
    {
        "PermanentRedirect",
        "TemporaryRedirect",
        "Redirect",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed request.

    Args:
        error: for the user.
        status: for the worker; a permanent failure is never 5xx, or it would be asked again in vain.
        code: for the worker, an S3 error code.
        passing: whether a later try may succeed, or it is a mere "not there" that the engine may take as an answer:
            only blamed if nothing worse happened.
    """

    error: FairleadError
    status: int
    code: str
    passing: bool = False


def from_answer(  # noqa: PLR0911  # one return for each kind of answer
    status: int, headers: Mapping[str, str], body: bytes, place: Place, connection: str
) -> Failure:
    """Return what a store's answer outside 2xx means.

    Args:
        status: HTTP status.
        headers: of the answer.
        body: an XML document, or empty (HEAD).
        place: what was asked for.
        connection: full name.
    """
    code = code_of(status, body)
    if code == "NoSuchBucket":
        return Failure(UndefinedFile(f"there is no bucket {place.bucket} (for {place})"), 404, code)
    if status == 404:  # noqa: PLR2004
        return Failure(UndefinedFile(f"there is nothing at {place}"), 404, code, passing=True)
    if code in _REFUSED_CREDENTIAL:
        error: FairleadError = StoreRefusedCredential(
            f"the store refused the credential of connection {connection}: {_REFUSED_CREDENTIAL[code]}",
            detail=f"asked for {place}; the store's code is {code}",
            hint=_ROTATE,
        )
        return Failure(error, 403, code)
    if code in _ELSEWHERE or 300 <= status < 400:  # noqa: PLR2004
        return Failure(_elsewhere(code, headers, body, place, connection), 403, "AccessDenied")
    if code in _TRANSIENT or status in (429, 500, 502, 503, 504):
        busy = "is throttling requests" if code in _THROTTLED else "has a passing failure"
        error = StoreError(f"the store of connection {connection} {busy} ({code}), asked for {place}", hint="try again")
        return Failure(error, 503, code, passing=True)
    if status in (401, 403):
        error = PermissionDenied(
            f"permission denied for {place}: the store does not allow it to the credential of connection {connection}",
            detail=f"the store's code is {code}",
            hint="the policy of the credential, or of the bucket, must allow it",
        )
        return Failure(error, 403, code)
    error = StoreError(f"the store of connection {connection} answered {status} {code}, asked for {place}")
    return Failure(error, status if 400 <= status < 500 else 424, code)  # noqa: PLR2004


def from_error(error: FairleadError) -> Failure:
    """Return what an error on our side of the store means to the worker."""
    if isinstance(error, PermissionDenied | DestinationRefused):
        return Failure(error, 403, "AccessDenied")
    if isinstance(error, StoreUnreachable):
        return Failure(error, 424, "StoreUnreachable")
    return Failure(error, 424, "Refused")


def code_of(status: int, body: bytes) -> str:
    """Return the error code of an answer, by its document or else by its status."""
    found = _CODE.search(body)
    return found[1].decode() if found else _BY_STATUS.get(status, f"Http{status}")


def error_code(body: bytes) -> str | None:
    """Return the code of an error document: some stores send one with status 200."""
    found = _CODE.search(body) if b"<Error>" in body else None
    return found[1].decode() if found else None


def upload_id(body: bytes) -> str | None:
    """Return the id in the answer that opens a multipart upload."""
    found = _UPLOAD_ID.search(body)
    return found[1].decode() if found else None


def etag(body: bytes) -> str:
    """Return the ETag in the answer that completes a multipart upload, empty if there is none."""
    found = _ETAG.search(body)
    return found[1].decode() if found else ""


def _elsewhere(code: str, headers: Mapping[str, str], body: bytes, place: Place, connection: str) -> FairleadError:
    found = _REGION.search(body)
    region = headers.get("x-amz-bucket-region") or (found[1].decode() if found else "")
    if region and re.fullmatch(r"[a-z0-9-]{1,32}", region):
        hint = f"the bucket is in region {region}: set the region of the connection"
    else:
        hint = "check the region and the endpoint of the connection; redirects are not followed"
    return StoreError(
        f"the store of connection {connection} says that {place} is in another region or at another endpoint ({code})",
        hint=hint,
    )
