"""S3-like stores: the target that options make, and what cannot be honoured yet."""

from __future__ import annotations

import pytest

from fairlead.connectors.declaration import connector
from fairlead.connectors.store import S3Target
from fairlead.errors import InvalidParameter, NotSupported
from fairlead.sensitive import Sensitive

S3 = connector("s3")


def test_nothing_set_means_aws_unsigned_in_the_default_region():
    assert S3.target({}) == S3Target(None, "us-east-1", None, None, None, path_style=True)
    assert S3.target({}).base_url == "https://s3.us-east-1.amazonaws.com"


def test_every_option_reaches_the_target():
    target = S3.target(
        {
            "access_key_id": "AKIA",
            "secret_access_key": Sensitive("s"),
            "session_token": Sensitive("t"),
            "region": "eu-west-1",
            "endpoint": "http://127.0.0.1:9000",
            "path_style": "false",
        }
    )
    assert target == S3Target(
        "http://127.0.0.1:9000", "eu-west-1", Sensitive("AKIA"), Sensitive("s"), Sensitive("t"), path_style=False
    )
    assert target.base_url == "http://127.0.0.1:9000"


@pytest.mark.parametrize("endpoint", ["https://s3.amazonaws.com", "https://s3.amazonaws.com.cn"])
def test_the_global_endpoint_means_that_of_the_region(endpoint):
    assert S3.target({"endpoint": endpoint, "region": "eu-west-1"}).endpoint is None


def test_china_has_a_domain_of_its_own():
    assert S3.target({"region": "cn-north-1"}).base_url == "https://s3.cn-north-1.amazonaws.com.cn"


def test_a_key_id_from_a_secret_stays_sensitive():
    target = S3.target({"access_key_id": Sensitive("AKIA"), "secret_access_key": Sensitive("s")})
    assert target.access_key_id == Sensitive("AKIA")
    assert "AKIA" not in repr(target)


def test_an_empty_secret_is_not_taken_for_anonymous():
    target = S3.target({"access_key_id": "AKIA", "secret_access_key": Sensitive("")})
    assert target.access_key_id is not None
    assert target.secret_access_key is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("role_arn", "arn:aws:iam::1:role/r"),
        ("role_arn", Sensitive("arn")),
        ("master_key", Sensitive("k")),
        ("server_side_encryption", "AES256"),
        ("sse_customer_algorithm", "AES256"),
        ("request_payer", "requester"),
        ("use_eks_irsa", "true"),
        ("creds_mode", "eks_irsa"),
    ],
)
def test_what_cannot_be_honoured_is_refused_at_use_with_a_hint(name, value):
    with pytest.raises(NotSupported, match=name) as caught:
        S3.target({name: value})
    assert caught.value.hint


def test_what_is_switched_off_is_honoured():
    assert S3.target({"use_eks_irsa": "false"}) == S3.target({})


def test_access_key_alone_is_ambiguous_in_clickzetta():
    with pytest.raises(InvalidParameter, match='missing parameter "SECRET_KEY"'):
        S3.renamed("clickzetta", frozenset({"ACCESS_KEY"}))
    assert S3.renamed("clickzetta", frozenset({"ACCESS_KEY", "ACCESS_ID"})) == {"ACCESS_KEY": "SECRET_KEY"}
    assert S3.renamed("clickzetta", frozenset({"ACCESS_KEY", "SECRET_KEY"})) == {}
    assert S3.renamed("databend", frozenset({"ACCESS_KEY"})) == {}
