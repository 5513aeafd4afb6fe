"""No value of a secret in any text, table, JSON or repr, whatever it looks like and whoever asks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.dialects import definition as meaning
from fairlead.dialects import render, tables
from fairlead.errors import FairleadError
from fairlead.lang import ast
from fairlead.sensitive import Sensitive
from tests.dialects.samples import SPELLINGS, define, edit, info, stage, stored

DIALECTS = ("native", *SPELLINGS)
MARK = "Zq9"  # stands in every secret and in no text of the house
SECRETS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=30).map(
    lambda text: f"{MARK}{text}{MARK}"
)

# option as typed -> (spelling, clause); the secrets of every spelling
TYPED = [
    ("materialize", "SESSION TOKEN", None),
    ("materialize", "EXTERNAL ID", None),
    ("singlestore", "aws_secret_access_key", "CREDENTIALS"),
    ("singlestore", "aws_session_token", "CREDENTIALS"),
    ("singlestore", "external_id", "CREDENTIALS"),
    ("singlestore", "x-amz-server-side-encryption-customer-key", "CONFIG"),
    ("singlestore", "x-amz-server-side-encryption-customer-key", "CREDENTIALS"),
    ("databend", "SECRET_ACCESS_KEY", None),
    ("databend", "SESSION_TOKEN", None),
    ("databend", "MASTER_KEY", None),
    ("databend", "EXTERNAL_ID", None),
    ("clickzetta", "SECRET_KEY", None),
    ("clickzetta", "SESSION_TOKEN", None),
    ("clickzetta", "ACCESS_KEY", "PROPERTIES"),
]
BESIDE = {
    "materialize": [("ACCESS KEY ID", "a", None), ("SECRET ACCESS KEY", None, None)],
    "singlestore": [
        ("aws_access_key_id", "a", "CREDENTIALS"),
        ("aws_secret_access_key", "b", "CREDENTIALS"),
        ("role_arn", "r", "CREDENTIALS"),
        ("region", "eu", "CONFIG"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256", "CONFIG"),
        ("x-amz-server-side-encryption-customer-key-MD5", "m", "CONFIG"),
        ("x-amz-server-side-encryption-customer-key", "c", "CONFIG"),
    ],
    "databend": [("ACCESS_KEY_ID", "a", None), ("SECRET_ACCESS_KEY", "b", None)],
    "clickzetta": [("ACCESS_ID", "a", None), ("ACCESS_KEY", "b", None), ("REGION", "eu", None)],
}
TYPES = {"materialize": "AWS", "singlestore": "S3", "databend": "S3", "clickzetta": "S3"}


def _statement(spelling, name, clause, secret):
    options = [ast.Option(name, ast.Text(Sensitive(secret)), clause)]
    for beside, value, its_clause in BESIDE[spelling]:
        if beside == name or (name == "EXTERNAL ID" and beside.endswith("KEY ID")):
            continue
        if name == "SECRET_KEY" and beside == "ACCESS_KEY":
            continue
        written = ast.SecretRef(ast.Name(("k",))) if value is None else ast.Text(Sensitive(value))
        options.append(ast.Option(beside, written, its_clause))
    if name == "EXTERNAL ID":
        options = [options[0], ast.Option("ASSUME ROLE ARN", ast.Text(Sensitive("r")))]
    config = {o.name: secret if o.name == name else "x" for o in options if o.clause == "CONFIG"}
    return ast.CreateConnection(
        name=ast.Name(("c",)),
        spelling=spelling,
        type_word=TYPES[spelling],
        options=tuple(options),
        config_text=json.dumps(config) if config else None,
    )


def _everything_shown(definition):
    yield repr(definition)
    yield str(definition)
    yield json.dumps(meaning.to_json(definition, lambda _: 1))
    yield repr(meaning.inline_secrets(definition))
    yield meaning.destination(definition)
    yield repr(meaning.kept(definition))
    for variant in (definition, stored(definition)):
        shown = info(variant)
        yield repr(shown)
        yield repr(tables.show_links([shown]))
        yield render.show_create_stage(stage(variant))
        yield repr(tables.describe_stage(stage(variant)))
        for dialect in DIALECTS:
            yield render.show_create(shown, dialect)
            yield render.show_create(shown, dialect, redacted=True)
            yield repr(tables.show_connections([shown], dialect))
            yield repr(tables.describe_connection(shown, dialect, extended=True))


@pytest.mark.parametrize(("spelling", "name", "clause"), TYPED)
@given(secret=SECRETS)
def test_a_secret_of_any_spelling_is_in_nothing_that_is_shown(spelling, name, clause, secret):
    definition = meaning.define(_statement(spelling, name, clause, secret), "native")
    assert Sensitive(secret) in meaning.inline_secrets(definition).values()
    for shown in _everything_shown(definition):
        assert MARK not in shown


@pytest.mark.parametrize(("spelling", "name", "clause"), TYPED)
@pytest.mark.parametrize("dialect", DIALECTS)
@given(secret=SECRETS)
def test_a_secret_is_in_no_error_about_another_option(spelling, name, clause, dialect, secret):
    statement = _statement(spelling, name, clause, secret)
    wrong = ast.Option("NO SUCH OPTION", ast.Text(Sensitive(secret)), clause)
    broken = ast.CreateConnection(
        name=statement.name,
        spelling=spelling,
        type_word=statement.type_word,
        options=(*statement.options, wrong),
    )
    with pytest.raises(FairleadError) as caught:
        meaning.define(broken, dialect)
    error = caught.value
    assert MARK not in f"{error.message}{error.hint}{error.detail}{error!r}"


@given(secret=SECRETS)
def test_a_secret_given_by_alter_is_in_nothing_that_is_shown(secret):
    quoted = secret.replace("'", "''")
    current = stored(define("CREATE CONNECTION c STORAGE_TYPE='s3' ACCESS_KEY_ID='a' SECRET_ACCESS_KEY='b'"))
    edited = edit(current, f"ALTER CONNECTION c SET (SECRET_ACCESS_KEY = '{quoted}')")
    assert meaning.inline_secrets(edited) == {"secret_access_key": Sensitive(secret)}
    for shown in _everything_shown(edited):
        assert MARK not in shown


@given(secret=SECRETS)
def test_a_part_of_a_concatenation_is_in_nothing_that_is_shown(secret):
    parts = (ast.Text(Sensitive(secret)), ast.SecretRef(ast.Name(("k",))))
    statement = ast.CreateConnection(
        name=ast.Name(("c",)),
        spelling="materialize",
        type_word="AWS",
        options=(
            ast.Option("ACCESS KEY ID", ast.Concat(parts)),
            ast.Option("SECRET ACCESS KEY", ast.Concat(parts)),
        ),
    )
    definition = meaning.define(statement, "native")
    for shown in _everything_shown(definition):
        assert MARK not in shown


# --- round trips ------------------------------------------------------------------------------------------------------

_TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=30).filter(
    lambda text: "*" not in text and "redacted" not in text.lower()
)


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(key_id=_TEXTS, secret=_TEXTS, name=_TEXTS, referenced=st.booleans())
def test_what_is_shown_natively_runs_again_and_changes_nothing(spelling, key_id, secret, name, referenced):
    id_word, secret_word, clause = {
        "materialize": ("ACCESS KEY ID", "SECRET ACCESS KEY", None),
        "singlestore": ("aws_access_key_id", "aws_secret_access_key", "CREDENTIALS"),
        "databend": ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", None),
        "clickzetta": ("ACCESS_KEY", "SECRET_KEY", None),
    }[spelling]
    inline = spelling != "materialize" and not referenced
    value = ast.Text(Sensitive(secret)) if inline else ast.SecretRef(ast.Name(("main", "public", name)))
    options = [ast.Option(id_word, ast.Text(Sensitive(key_id)), clause), ast.Option(secret_word, value, clause)]
    if spelling == "clickzetta":
        options.append(ast.Option("REGION", ast.Text(Sensitive("eu"))))
    statement = ast.CreateConnection(
        name=ast.Name((name,)), spelling=spelling, type_word=TYPES[spelling], options=tuple(options)
    )
    current = stored(meaning.define(statement, "native"))
    text = render.show_create(info(current, name=name), "native")
    again = define(text)
    assert meaning.keep(current, again) == current
