"""ALTER, STORED and OR REPLACE: what changes in a definition, and what stays."""

from __future__ import annotations

import pytest

from fairlead.dialects import definition as meaning
from fairlead.dialects.stored import FromSecret, Inline, Kept, Plain
from fairlead.errors import InvalidParameter
from fairlead.lang.ast import Name
from fairlead.sensitive import Sensitive
from tests.dialects.samples import INLINE, SAME, SPELLINGS, define, edit, stored

_CLICKZETTA = "CREATE STORAGE CONNECTION c TYPE S3 {}"
_BOTH = "must specify both ACCESS KEY ID and SECRET ACCESS KEY with optional SESSION TOKEN"


# --- ALTER -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    "change",
    [
        "ALTER CONNECTION lake SET (REGION = 'us-west-2')",
        "ALTER CONNECTION lake SET REGION = 'us-west-2'",
        "ALTER LINK lake SET CONFIG ::region = 'us-west-2'",
    ],
)
def test_an_option_changes_in_every_spelling_of_alter(spelling, change):
    current = stored(define(SAME[spelling]))
    edited = edit(current, change)
    assert edited.options == {**current.options, "region": Plain("us-west-2")}


@pytest.mark.parametrize("spelling", INLINE)
def test_a_rotated_secret_is_sealed_anew_and_the_rest_stays(spelling):
    current = stored(define(INLINE[spelling]))
    edited = edit(current, "ALTER CONNECTION lake SET (SECRET_ACCESS_KEY = 'new')")
    assert meaning.inline_secrets(edited) == {"secret_access_key": Sensitive("new")}
    assert edited.options["access_key_id"] == Plain("AKIAIOSFODNN7")


def test_a_clause_that_is_given_anew_replaces_the_whole_clause():
    current = stored(define(SAME["singlestore"]))
    edited = edit(current, "ALTER LINK lake SET CONFIG '{}'")
    assert set(edited.options) == {"access_key_id", "secret_access_key"}
    assert edited.config_text == "{}"
    both = edit(
        current,
        'ALTER LINK lake SET CONFIG \'{"region": "r"}\' '
        'SET CREDENTIALS \'{"aws_access_key_id":"a","aws_secret_access_key":"b"}\'',
    )
    assert both.options == {
        "region": Plain("r"),
        "access_key_id": Plain("a"),
        "secret_access_key": Inline(Sensitive("b")),
    }


def test_a_changed_key_makes_the_typed_text_of_config_stale():
    current = stored(define(INLINE["singlestore"]))
    assert current.config_text == '{"region": "eu-west-1"}'
    assert edit(current, "ALTER LINK lake SET CONFIG ::region = 'r'").config_text is None
    assert edit(current, "ALTER LINK lake SET CREDENTIALS ::aws_secret_access_key = 'b'").config_text is not None


@pytest.mark.parametrize(
    ("spelling", "change", "message"),
    [
        ("materialize", "DROP (ACCESS KEY ID)", f"invalid ALTER CONNECTION: {_BOTH}"),
        ("materialize", "SET (REGION 'a'), SET (REGION 'b')", "REGION specified more than once"),
        ("materialize", "SET (REGION 'a'), DROP (REGION)", "cannot both SET and DROP/RESET options REGION"),
        ("materialize", "SET (URL 'x')", "AWS connections do not support URL values"),
        ("clickzetta", "UNSET REGION, ENDPOINT", 'missing parameter "REGION"'),
        ("clickzetta", "SET ACCESS_KEY = 'x'", 'missing parameter "SECRET_KEY"'),
        ("databend", "SET (ACCESS_KEY = 'x')", 'missing parameter "SECRET_KEY"'),
        (
            "clickzetta",
            "SET EXTERNAL_ID = 'x'",
            "external_id cannot be set on a connection in the clickzetta spelling",
        ),
        (
            "materialize",
            "SET (MASTER_KEY = 'x')",
            "master_key cannot be set on a connection in the materialize spelling",
        ),
    ],
)
def test_an_alter_that_cannot_be_is_refused_in_the_words_of_the_connection(spelling, change, message):
    current = stored(define(SAME[spelling]))
    with pytest.raises(InvalidParameter) as caught:
        edit(current, f"ALTER CONNECTION lake {change}")
    assert caught.value.message == message


def test_dropping_what_is_not_set_is_fine():
    current = stored(define(SAME["materialize"]))
    assert edit(current, "ALTER CONNECTION lake DROP (SESSION TOKEN)").options == current.options


def test_names_owners_and_comments_change_nothing_in_the_definition():
    current = stored(define(SAME["materialize"]))
    assert edit(current, "ALTER CONNECTION lake RENAME TO other") == current


# --- STORED ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "CREATE CONNECTION lake STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'new' SECRET_ACCESS_KEY = STORED",
        "CREATE CONNECTION lake TO AWS (ACCESS KEY ID = 'new', SECRET ACCESS KEY = STORED)",
        "CREATE STORAGE CONNECTION lake TYPE S3 ACCESS_KEY = 'new' SECRET_KEY = STORED REGION = 'r'",
    ],
)
def test_stored_keeps_what_is_stored_under_or_replace(text):
    defined = define(text)
    assert meaning.kept(defined) == ("secret_access_key",)
    sealed = meaning.keep(stored(define(INLINE["databend"])), defined)
    assert sealed.options["secret_access_key"] == Kept()
    assert sealed.options["access_key_id"] == Plain("new")
    referenced = meaning.keep(stored(define(SAME["databend"])), defined)
    assert referenced.options["secret_access_key"] == FromSecret(Name(("main", "public", "k")))


def test_credentials_stored_keeps_the_whole_clause():
    current = stored(define(INLINE["singlestore"]))
    defined = define('CREATE OR REPLACE LINK lake AS S3 CREDENTIALS STORED CONFIG \'{"region":"r"}\'')
    assert meaning.keeps_secret(defined)
    result = meaning.keep(current, defined)
    assert result.options == {
        "access_key_id": Plain("AKIAIOSFODNN7"),
        "secret_access_key": Kept(),
        "region": Plain("r"),
    }
    assert not result.credentials_kept


@pytest.mark.parametrize(
    "text",
    [
        "CREATE OR REPLACE LINK lake AS S3 CREDENTIALS STORED",
        "CREATE CONNECTION lake STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'new' SECRET_ACCESS_KEY = STORED",
    ],
)
def test_stored_fails_where_nothing_is_stored(text):
    anonymous = stored(define("CREATE CONNECTION lake STORAGE_TYPE = 's3'"))
    with pytest.raises(InvalidParameter) as caught:
        meaning.keep(anonymous, define(text))
    assert caught.value.hint == "write the credential instead of STORED"


def test_or_replace_keeps_the_generated_external_id():
    current = stored(define(_CLICKZETTA.format("ROLE_ARN = 'r' REGION = 'x'")))
    replaced = meaning.keep(current, define(_CLICKZETTA.format("ROLE_ARN = 'other' REGION = 'x'")))
    assert replaced.options["external_id"] == current.options["external_id"]
    assert replaced.options["role_arn"] == Plain("other")


def test_a_strict_dialect_alters_a_connection_of_another_spelling_in_its_own_words():
    current = stored(define(SAME["databend"]))
    edited = edit(current, "ALTER CONNECTION lake SET (ACCESS KEY ID 'new')", "materialize")
    assert edited.options == {**current.options, "access_key_id": Plain("new")}
    with pytest.raises(InvalidParameter, match="must provide a secret value"):
        edit(current, "ALTER CONNECTION lake SET (SECRET ACCESS KEY 'x')", "materialize")


def test_another_type_keeps_no_credential():
    other = meaning.Definition("other", "databend", {"secret_access_key": Kept()})
    text = "CREATE CONNECTION lake STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'a' SECRET_ACCESS_KEY = {}"
    with pytest.raises(InvalidParameter, match="cannot keep its credential"):
        meaning.keep(other, define(text.format("STORED")))
    replaced = define(text.format("'b'"))
    assert meaning.keep(other, replaced) == replaced
