"""VALIDATE: which step fails is seen, and what follows is skipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from fairlead.connectors.checks import run_checks
from fairlead.connectors.declaration import connector
from fairlead.errors import DestinationRefused, FairleadError, StoreRefusedCredential, StoreUnreachable
from fairlead.sensitive import Sensitive

S3 = connector("s3")
NAMES = ["config", "secret", "dns", "egress policy", "tcp", "tls", "auth", "list"]
KEYS = {"access_key_id": "AKIA", "secret_access_key": Sensitive("hunter"), "endpoint": "https://h.example:9000"}


@dataclass
class FakeDoor:
    """A way out that answers as told."""

    failures: dict[str, FairleadError] = field(default_factory=dict)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    objects: int = 1

    def _called(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        if name in self.failures:
            raise self.failures[name]

    def resolve(self, host, port):
        self._called("resolve", host, port)
        return ("192.0.2.1", "192.0.2.2")

    def tcp(self, host, port):
        self._called("tcp", host, port)
        return "192.0.2.1"

    def tls(self, host, port):
        self._called("tls", host, port)
        return "TLSv1.3", "h.example", datetime(2030, 1, 2, tzinfo=UTC)

    def sign_in(self, target):
        self._called("sign_in", target)
        return "the store accepted the signature"

    def list(self, target, bucket, prefix, limit):
        self._called("list", bucket, prefix, limit)
        return self.objects


def statuses(results):
    assert [result.step for result in results] == NAMES
    return [result.status for result in results]


def test_all_steps_pass_with_their_evidence():
    door = FakeDoor()
    results = run_checks(S3, KEYS, ["s3://acme/raw/"], door)
    assert statuses(results) == ["passed"] * 8
    assert [result.evidence for result in results] == [
        "https://h.example:9000, region us-east-1, path style",
        "an access key is set",
        "h.example is 192.0.2.1, 192.0.2.2",
        "h.example port 9000 may be reached",
        "192.0.2.1 port 9000 answers",
        "TLSv1.3, certificate of h.example, valid until 2030-01-02",
        "the store accepted the signature",
        "s3://acme/raw/ holds objects",
    ]
    assert [call[0] for call in door.calls] == ["resolve", "tcp", "tls", "sign_in", "list"]
    assert door.calls[-1] == ("list", "acme", "raw/", 1)
    assert all(result.milliseconds >= 0 for result in results)


@pytest.mark.parametrize(
    ("call", "step", "error"),
    [
        ("resolve", "dns", StoreUnreachable("the name cannot be resolved", hint="check the endpoint")),
        ("resolve", "egress policy", DestinationRefused("the destination is refused", hint="ask the operator")),
        ("tcp", "tcp", StoreUnreachable("cannot connect", detail="connection refused")),
        ("tls", "tls", StoreUnreachable("the certificate is not trusted")),
        ("sign_in", "auth", StoreRefusedCredential("the key is not known")),
        ("list", "list", FairleadError("no such bucket")),
    ],
)
def test_the_failing_step_says_why_and_the_rest_is_skipped(call, step, error):
    results = run_checks(S3, KEYS, ["s3://acme/raw/"], FakeDoor({call: error}))
    at = NAMES.index(step)
    assert statuses(results) == ["passed"] * at + ["failed"] + ["skipped"] * (7 - at)
    assert error.message in results[at].evidence
    assert results[at].hint == error.hint
    assert (error.detail or "") in results[at].evidence
    assert all(result.evidence == f"{step} failed" for result in results[at + 1 :])


def test_plain_http_skips_tls_and_a_stage_is_needed_to_list():
    results = run_checks(S3, {**KEYS, "endpoint": "http://127.0.0.1:9000"}, [], FakeDoor())
    assert statuses(results) == ["passed"] * 5 + ["skipped", "passed", "skipped"]
    assert results[5].evidence == "the endpoint is plain http"
    assert results[7].evidence == "no stage names a place to list"


def test_anonymous_access_has_nothing_to_sign_in_with():
    results = run_checks(S3, {}, ["s3://acme/"], FakeDoor(objects=0))
    assert [result.status for result in results if result.step in ("secret", "auth")] == ["skipped", "skipped"]
    assert results[-1].evidence == "s3://acme/ is empty"


def test_a_definition_that_cannot_be_used_fails_before_anything_is_sent():
    door = FakeDoor()
    results = run_checks(S3, {"role_arn": "arn"}, [], door)
    assert statuses(results) == ["failed"] + ["skipped"] * 7
    assert door.calls == []


def test_an_empty_secret_fails_before_anything_is_sent():
    door = FakeDoor()
    results = run_checks(S3, {**KEYS, "secret_access_key": Sensitive("")}, [], door)
    assert statuses(results)[:3] == ["passed", "failed", "skipped"]
    assert door.calls == []


def test_no_evidence_holds_a_credential():
    results = run_checks(S3, KEYS, ["s3://acme/"], FakeDoor())
    assert "hunter" not in repr(results)
