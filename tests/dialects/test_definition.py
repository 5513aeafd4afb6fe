"""CREATE CONNECTION: what it means, and every refusal with its text."""

from __future__ import annotations

import json

import pytest

from fairlead.dialects import definition as meaning
from fairlead.dialects.stored import FromSecret, Inline, Joined, Kept, Plain
from fairlead.errors import InvalidJson, InvalidParameter, NotSupported
from fairlead.lang.ast import Name
from fairlead.sensitive import Sensitive
from tests.dialects.samples import INLINE, SAME, SPELLINGS, define, stored


def test_the_four_spellings_of_one_content_give_equal_options():
    made = [define(SAME[spelling]) for spelling in SPELLINGS]
    assert made[0].options == {
        "access_key_id": Plain("AKIAIOSFODNN7"),
        "secret_access_key": FromSecret(Name(("k",))),
        "region": Plain("eu-west-1"),
        "endpoint": Plain("https://minio.example:9000"),
        "path_style": Plain("false"),
    }
    assert all(one.options == made[0].options and one.kind == "s3" for one in made)
    assert [one.spelling for one in made] == list(SPELLINGS)


def test_inline_secrets_of_three_spellings_are_equal_and_sealed():
    made = [define(text) for text in INLINE.values()]
    assert all(one.options == made[0].options for one in made)
    assert meaning.inline_secrets(made[0]) == {"secret_access_key": Sensitive("hunter-two-hunter")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("STORAGE_TYPE = 'S3'", "STORAGE_TYPE = 's3' REGION = ''"),
        ("STORAGE_TYPE = 's3' ENABLE_VIRTUAL_HOST_STYLE = TRUE", "STORAGE_TYPE='s3' enable_virtual_host_style='true'"),
        (
            "STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'a' SECRET_ACCESS_KEY = 'b' SESSION_TOKEN = 't'",
            "STORAGE_TYPE = 's3' AWS_TOKEN = 't' AWS_SECRET_KEY = 'b' AWS_KEY_ID = 'a'",
        ),
        ("STORAGE_TYPE = 's3' REGION = 'r1' REGION = 'r2'", "STORAGE_TYPE = 's3' REGION = 'r2'"),
        ("STORAGE_TYPE = 's3' ENDPOINT_URL = 'h:1'", "STORAGE_TYPE = 's3' ENDPOINT_URL = 'https://H:1/'"),
        (
            "TYPE S3 PROPERTIES ('ACCESS_ID' = 'i', 'ACCESS_KEY' = 's', 'ENDPOINT' = 'e')",
            "TYPE S3 ACCESS_KEY_ID = 'i' SECRET_ACCESS_KEY = 's' ENDPOINT = 'https://e'",
        ),
        ("TO AWS (ASSUME ROLE ARN 'r')", "FOR AWS ASSUME ROLE ARN = 'r', REGION = ''"),
    ],
)
def test_different_texts_of_one_content_give_equal_definitions(one, other):
    assert define(f"CREATE CONNECTION c {one}") == define(f"CREATE CONNECTION c {other}")


def test_clause_order_of_a_link_does_not_matter():
    credentials = 'CREDENTIALS \'{"aws_access_key_id":"a","aws_secret_access_key":"b"}\''
    config = 'CONFIG \'{"region":"us-east-1"}\''
    assert define(f"CREATE LINK l AS S3 {credentials} {config}") == define(
        f"create link l as s3 {config} {credentials}"
    )


_AWS = "CREATE CONNECTION c TO AWS ({})"
_LINK = "CREATE LINK l AS S3 {}"
_DATABEND = "CREATE CONNECTION c STORAGE_TYPE = 's3' {}"
_CLICKZETTA = "CREATE STORAGE CONNECTION c TYPE S3 {}"
_PAIR = "ACCESS KEY ID 'a', SECRET ACCESS KEY SECRET s"
_BOTH = "must specify both ACCESS KEY ID and SECRET ACCESS KEY with optional SESSION TOKEN"
_SSE = "x-amz-server-side-encryption"

REFUSED = [
    # materialize.md sections 4 and 5.1
    (_AWS.format("ACCESS KEY ID 'a'"), _BOTH),
    (_AWS.format("SECRET ACCESS KEY SECRET s"), _BOTH),
    (_AWS.format("SESSION TOKEN 't', ASSUME ROLE ARN 'r'"), _BOTH),
    (
        _AWS.format("ASSUME ROLE SESSION NAME 'n'"),
        "must specify ASSUME ROLE ARN with optional ASSUME ROLE SESSION NAME",
    ),
    (
        _AWS.format("REGION 'r'"),
        "must specify either ASSUME ROLE ARN or ACCESS KEY ID and SECRET ACCESS KEY",
    ),
    (_AWS.format(f"{_PAIR}, ASSUME ROLE ARN 'r'"), "cannot specify both ACCESS KEY ID and ASSUME ROLE ARN"),
    (
        _AWS.format("SECRET ACCESS KEY 'plain', ACCESS KEY ID 'a'"),
        "invalid SECRET ACCESS KEY: must provide a secret value",
    ),
    (_AWS.format(f"{_PAIR}, REGION"), "invalid REGION: must provide a string value"),
    (_AWS.format("SECRET ACCESS KEY, ACCESS KEY ID 'a'"), "invalid SECRET ACCESS KEY: must provide a secret value"),
    (_AWS.format("ACCESS KEY ID"), "invalid ACCESS KEY ID: must provide a string or secret value"),
    (_AWS.format(f"{_PAIR}, REGION 5"), "invalid REGION: cannot use value as string"),
    (_AWS.format(f"{_PAIR}, REGION SECRET s"), "invalid REGION: cannot use value as string"),
    (_AWS.format(f"{_PAIR}, REGION ('a', 'b')"), "invalid REGION: cannot use value as string"),
    (_AWS.format(f"{_PAIR}, PATH STYLE 5"), "invalid PATH STYLE: cannot use value as boolean"),
    (_AWS.format("REGION 'a', REGION 5"), "REGION specified more than once"),
    (_AWS.format(f"{_PAIR}, URL 'x', BROKER 'b:1'"), "AWS connections do not support BROKER, URL values"),
    (
        _AWS.format("ACCESS KEY ID 'a', SECRET ACCESS KEY 'p' || 'q'"),
        "invalid SECRET ACCESS KEY: must provide a secret value",
    ),
    (_AWS.format(f"{_PAIR}, SESSION TOKEN '<redacted>'"), "value of SESSION TOKEN is a mask, not a secret"),
    (_AWS.format(f"{_PAIR}, REGION STORED"), "invalid REGION: STORED is for secrets; write the value"),
    # singlestore.md 2.1, 2.2 and 8
    (
        _LINK.format('CREDENTIALS \'{"aws_acess_key_id":"x"}\''),
        'unknown CREDENTIALS key "aws_acess_key_id" for S3; did you mean "aws_access_key_id"?',
    ),
    (_LINK.format('CREDENTIALS \'{"zzzz":"x"}\''), "unknown CREDENTIALS key for S3"),
    (_LINK.format('CREDENTIALS \'{"region":"x"}\''), 'unknown CREDENTIALS key "region" for S3'),
    (_LINK.format('CONFIG \'{"regoin":"x"}\''), 'unknown CONFIG key "regoin" for S3; did you mean "region"?'),
    (
        _LINK.format('CREDENTIALS \'{"aws_access_key_id":"x"}\''),
        'missing CREDENTIALS key "aws_secret_access_key" for S3: "aws_access_key_id" needs it',
    ),
    (
        _LINK.format('CREDENTIALS \'{"aws_session_token":"x"}\''),
        'missing CREDENTIALS key "aws_access_key_id" for S3: "aws_session_token" needs it',
    ),
    (
        _LINK.format('CREDENTIALS \'{"external_id":"x"}\''),
        'missing CREDENTIALS key "role_arn" for S3: "external_id" needs it',
    ),
    (
        _LINK.format('CONFIG \'{"aws_secret_access_key":"x"}\''),
        '"aws_secret_access_key" is a secret: put it in CREDENTIALS',
    ),
    (_LINK.format('CONFIG \'{"sasl.password":"x"}\''), '"sasl.password" is a secret: put it in CREDENTIALS'),
    (_LINK.format('CONFIG \'{"role_arn":"x"}\''), '"role_arn" is a secret: put it in CREDENTIALS'),
    (
        _LINK.format('CONFIG \'{"endpoint_url":"http://u:p@h"}\''),
        '"endpoint_url" holds a secret: put it in CREDENTIALS',
    ),
    (
        _LINK.format('CONFIG \'{"suffixes":"-----BEGIN PRIVATE KEY-----"}\''),
        '"suffixes" holds a secret: put it in CREDENTIALS',
    ),
    (_LINK.format("CONFIG '{\"region\":true}'"), 'CONFIG key "region": must be a text'),
    (_LINK.format('CONFIG \'{"region":{"secret":"s"}}\''), 'CONFIG key "region": cannot be a secret'),
    (
        _LINK.format('CONFIG \'{"s3_force_path_style":"maybe"}\''),
        'CONFIG key "s3_force_path_style": expected true or false',
    ),
    (
        _LINK.format("CONFIG '{\"multipart_chunk_size_mb\":-1}'"),
        'CONFIG key "multipart_chunk_size_mb": expected a positive number',
    ),
    (
        _LINK.format('CONFIG \'{"sts_regional_endpoints":"x"}\''),
        'CONFIG key "sts_regional_endpoints": expected one of regional, legacy',
    ),
    (
        _LINK.format(f'CONFIG \'{{"{_SSE}-aws-kms-key-id":"k"}}\''),
        f'missing CONFIG key "{_SSE}" for S3: "{_SSE}-aws-kms-key-id" needs it',
    ),
    (
        _LINK.format(f'CONFIG \'{{"{_SSE}":"aws:kms","{_SSE}-customer-key":"k"}}\''),
        f'CONFIG keys "{_SSE}" and "{_SSE}-customer-key" cannot be used together',
    ),
    (
        _LINK.format(f'CONFIG \'{{"{_SSE}-customer-key":"k","{_SSE}-customer-key-MD5":"m"}}\''),
        f'missing CONFIG key "{_SSE}-customer-algorithm" for S3: "{_SSE}-customer-key" needs it',
    ),
    (
        _LINK.format('CREDENTIALS \'{"aws_access_key_id":"a","aws_secret_access_key":"<REDACTED>"}\''),
        "value of aws_secret_access_key is a mask, not a secret",
    ),
    # databend.md section 3
    (
        _DATABEND.format("COLOUR = 'red'"),
        (
            "invalid input parameter (connection params invalid: expected [access_key_id,enable_virtual_host_style,"
            "endpoint_url,external_id,master_key,region,role_arn,secret_access_key,session_token], got [colour])"
        ),
    ),
    (
        _DATABEND.format("ENABLE_VIRTUAL_HOST_STYLE = 'yes'"),
        "invalid input parameter (value for enable_virtual_host_style is invalid: ParseBoolError)",
    ),
    (
        _DATABEND.format("CONNECTION_NAME = 'x'"),
        "invalid input parameter (can not use connection_name when create connection)",
    ),
    (
        _DATABEND.format("ACCESS_KEY_ID = 'a'"),
        "invalid input parameter (secret_access_key is required with access_key_id)",
    ),
    (
        _DATABEND.format("ACCESS_KEY_ID = 'a' SECRET_ACCESS_KEY = '***'"),
        "invalid input parameter (value of secret_access_key is a mask, not a secret)",
    ),
    (
        _DATABEND.format("REGION = SECRET s"),
        "invalid input parameter (value for region is invalid: cannot be a secret)",
    ),
    (
        _DATABEND.format("REGION = 'evil.com/'"),
        "invalid input parameter (value for region is invalid: expected the name of a region: letters, digits, dashes)",
    ),
    (
        "CREATE CONNECTION c STORAGE_TYPE = 'gs'",
        "invalid input parameter (protocol gs is not supported yet.)",
    ),
    (
        "CREATE CONNECTION c STORAGE_TYPE = 'memory'",
        "invalid input parameter (URI protocol memory is not supported yet.)",
    ),
    # clickzetta.md section 2 and 10
    (_CLICKZETTA.format("ACCESS_KEY = 'i' REGION = 'r'"), 'missing parameter "SECRET_KEY"'),
    (_CLICKZETTA.format("SECRET_KEY = 's' REGION = 'r'"), 'missing parameter "ACCESS_KEY"'),
    (_CLICKZETTA.format("ACCESS_KEY = 'i' SECRET_KEY = 's'"), 'missing parameter "REGION"'),
    (_CLICKZETTA.format("ROLE_ARN = 'r' ENDPOINT = 'e'"), 'missing parameter "REGION"'),
    (
        _CLICKZETTA.format("ACCESS_KEY = 'i' SECRET_KEY = 's' REGION = 'r' ROLE_ARN = 'a'"),
        'parameters "ACCESS_KEY" and "ROLE_ARN" cannot be used together',
    ),
    (
        _CLICKZETTA.format("ACCESS_KEY = 'i' ACCESS_KEY_ID = 'j' SECRET_KEY = 's' REGION = 'r'"),
        'parameter "ACCESS_KEY" is given more than once',
    ),
    (
        _CLICKZETTA.format("ACCESS_KEY = 'i' SECRET_KY = 's' REGION = 'r' SECRET_KEY = 's'"),
        'unknown parameter "SECRET_KY" for S3; did you mean "SECRET_KEY"?',
    ),
    (
        _CLICKZETTA.format("ACCESS_KEY = 'AKIAIO**************' SECRET_KEY = 's' REGION = 'r'"),
        "value of ACCESS_KEY is a mask, not a secret",
    ),
    (
        _CLICKZETTA.format("ACCESS_KEY = ['a'] SECRET_KEY = 's' REGION = 'r'"),
        'parameter "ACCESS_KEY": needs a plain value',
    ),
    (
        "CREATE STORAGE CONNECTION c TYPE MYSQL",
        "no connection info factory for connection kind 'STORAGE', type 'mysql'",
    ),
    ("CREATE API CONNECTION c TYPE S3", "no connection info factory for connection kind 'API', type 's3'"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_a_definition_that_its_system_refuses_is_refused_in_its_words(text, message):
    with pytest.raises(InvalidParameter) as caught:
        define(text)
    assert caught.value.message == message


def test_an_alias_beside_the_main_word_is_unexpected_in_databend():
    with pytest.raises(InvalidParameter, match=r"got \[aws_key_id\]"):
        define(_DATABEND.format("ACCESS_KEY_ID = 'a' SECRET_ACCESS_KEY = 'b' AWS_KEY_ID = 'a'"))


def test_the_strict_databend_dialect_decorates_the_text():
    with pytest.raises(InvalidParameter) as caught:
        define("CREATE CONNECTION c STORAGE_TYPE = 'gs'", "databend")
    expected = "StorageOther. Code: 4000, Text = invalid input parameter (protocol gs is not supported yet.)"
    assert caught.value.message == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [("CREATE CONNECTION c TO GCP (SERVICE ACCOUNT KEY SECRET s)", "GCP"), ("CREATE LINK l AS AZURE", "AZURE")],
)
def test_a_type_that_a_later_issue_brings_is_named(text, word):
    with pytest.raises(NotSupported, match=word) as caught:
        define(text)
    assert "S3" in (caught.value.hint or "") or "AWS" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "text",
    [
        _LINK.format("CREDENTIALS '{\"hunter_two\":}'"),
        _LINK.format('CREDENTIALS \'{"aws_secret_access_key":null,"a":"hunter_two"}\''),
        _LINK.format('CREDENTIALS \'{"hunter_two":"hunter_two"}\''),
        _LINK.format('CREDENTIALS \'{"aws_access_key_id":"hunter_two","aws_access_key":"hunter_two"}\''),
        _LINK.format('CONFIG \'{"sasl.password":"hunter_two"}\''),
        _LINK.format('CONFIG \'{"endpoint_url":"http://u:hunter_two@h"}\''),
        _AWS.format("SECRET ACCESS KEY 'hunter_two', ACCESS KEY ID 'a'"),
        _AWS.format("SESSION TOKEN 'hunter_two'"),
        _DATABEND.format("SECRET_ACCESS_KEY = 'hunter_two'"),
        _DATABEND.format("ENDPOINT_URL = 'http://u:hunter_two@h'"),
        _DATABEND.format("REGION = 'hunter_two hunter_two'"),
        _CLICKZETTA.format("ACCESS_KEY = 'hunter_two'"),
        "CREATE CONNECTION c TYPE S3 PROPERTIES ('hunter_two/+=' = 'x')",
    ],
)
def test_no_error_holds_a_value(text):
    with pytest.raises((InvalidParameter, InvalidJson)) as caught:
        define(text)
    error = caught.value
    assert "hunter" not in f"{error.message}{error.hint}{error.detail}{error!r}"


def test_a_role_of_clickzetta_gets_an_external_id_of_16_letters_and_digits():
    first, second = (define(_CLICKZETTA.format("ROLE_ARN = 'r' REGION = 'x'")) for _ in range(2))
    made = first.options["external_id"]
    assert isinstance(made, Plain)
    assert len(made.text) == 16
    assert made.text.isalnum()
    assert made != second.options["external_id"]
    assert meaning.same_plain(first, second)


def test_concatenations_keep_their_literal_parts_sealed():
    made = define(_AWS.format("ACCESS KEY ID 'a', SECRET ACCESS KEY 'pre' || SECRET s"))
    assert made.options["secret_access_key"] == Joined((Inline(Sensitive("pre")), FromSecret(Name(("s",)))))
    assert meaning.inline_secrets(made) == {"secret_access_key.0": Sensitive("pre")}
    text = meaning.to_json(made, lambda _: 7)
    assert text["options"]["secret_access_key"] == {"join": [{"sealed": True}, {"secret": 7}]}
    opened = meaning.resolve(text, lambda _: Sensitive("key"), {"secret_access_key.0": Sensitive("pre")}.__getitem__)
    assert opened == {"access_key_id": "a", "secret_access_key": Sensitive("prekey")}


def test_the_json_holds_no_secret_and_comes_back_equal():
    made = define(INLINE["databend"])
    text = meaning.to_json(made, lambda _: 0)
    assert "hunter" not in json.dumps(text)
    back = meaning.from_json(json.loads(json.dumps(text)), lambda _: Name(("main", "public", "k")))
    assert back.options == {**made.options, "secret_access_key": Kept()}
    assert meaning.keeps_secret(back)
    assert meaning.same_plain(back, made)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_reference_is_stored_by_id_and_opened_at_use(spelling):
    text = meaning.to_json(define(SAME[spelling]), lambda _: 42)
    assert text["options"]["secret_access_key"] == {"secret": 42}
    opened = meaning.resolve(text, lambda i: Sensitive(f"value of {i}"), lambda _: Sensitive("wrong"))
    assert opened["secret_access_key"] == Sensitive("value of 42")
    assert opened["region"] == "eu-west-1"


# --- where the credential goes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STORAGE_TYPE = 's3'", "https://s3.amazonaws.com"),
        ("STORAGE_TYPE = 's3' REGION = 'eu-west-1'", "https://s3.amazonaws.com"),
        ("STORAGE_TYPE = 's3' REGION = 'cn-north-1'", "https://s3.amazonaws.com.cn"),
        ("STORAGE_TYPE = 's3' ENDPOINT_URL = 'h:1'", "https://h:1"),
    ],
)
def test_the_destination_is_the_endpoint_or_all_of_aws(text, expected):
    assert meaning.destination(define(f"CREATE CONNECTION c {text}")) == expected


@pytest.mark.parametrize("mask", ["<redacted>", "<REDACTED>", "***", "*", "AKIAIO**************", "ht***om", " *** "])
def test_every_mask_of_every_dialect_is_refused_as_a_value(mask):
    with pytest.raises(InvalidParameter, match="value of secret is a mask, not a secret"):
        meaning.refuse_mask("secret", Sensitive(mask))


@pytest.mark.parametrize("value", ["", "a*b", "redacted", "s3cr*t", "AKIAIO*************x"])
def test_ordinary_values_are_no_masks(value):
    meaning.refuse_mask("secret", Sensitive(value))


def test_every_host_may_be_allowed():
    made = define('CREATE LINK l AS S3 CONFIG \'{"allowed_hosts":"*","suffixes":["csv","gz"]}\'')
    assert made.options == {"allowed_hosts": Plain('["*"]'), "suffixes": Plain('["csv", "gz"]')}


def test_the_customer_key_is_a_secret_in_either_clause_and_never_in_the_typed_text():
    rest = f'"{_SSE}-customer-algorithm":"AES256","{_SSE}-customer-key-MD5":"m"'
    in_config = define(_LINK.format(f'CONFIG \'{{{rest},"{_SSE}-customer-key":"hunter"}}\''))
    in_credentials = define(_LINK.format(f"CONFIG '{{{rest}}}' CREDENTIALS '{{\"{_SSE}-customer-key\":\"hunter\"}}'"))
    assert in_config.options == in_credentials.options
    assert in_config.options["sse_customer_key"] == Inline(Sensitive("hunter"))
    assert in_config.config_text is None


@pytest.mark.parametrize("spelling", INLINE)
def test_a_strict_dialect_makes_the_same_definition(spelling):
    assert define(INLINE[spelling], spelling) == define(INLINE[spelling])


def test_if_not_exists_can_tell_whether_the_definitions_differ():
    current = stored(define(SAME["materialize"]))
    assert all(meaning.same_plain(current, define(SAME[spelling])) for spelling in SPELLINGS)
    assert not meaning.same_plain(current, define(INLINE["databend"]))
    assert not meaning.same_plain(current, define(SAME["materialize"].replace("SECRET k", "SECRET other")))
