"""SHOW CREATE: each spelling, natively runnable again, strictly in that system's own text."""

from __future__ import annotations

import pytest

from fairlead.dialects import definition as meaning
from fairlead.dialects import render
from fairlead.dialects.stored import Plain
from fairlead.lang import ast, parse
from tests.dialects.samples import INLINE, SAME, SPELLINGS, define, edit, info, stage, stored

NATIVE = {
    "materialize": (
        "CREATE OR REPLACE CONNECTION main.public.lake\nTO AWS (\n"
        "    ACCESS KEY ID = 'AKIAIOSFODNN7',\n"
        "    ENDPOINT = 'https://minio.example:9000',\n"
        "    REGION = 'eu-west-1',\n"
        "    SECRET ACCESS KEY = SECRET main.public.k,\n"
        "    PATH STYLE = FALSE\n);"
    ),
    "singlestore": (
        'CREATE OR REPLACE LINK `main`.`lake` AS S3 CREDENTIALS \'{"aws_access_key_id":"AKIAIOSFODNN7",'
        '"aws_secret_access_key":{"secret":"main.public.k"}}\' CONFIG \'{"region":"eu-west-1",'
        '"endpoint_url":"https://MINIO.example:9000/","s3_force_path_style":"false"}\''
    ),
    "databend": (
        "CREATE OR REPLACE CONNECTION main.public.lake STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'AKIAIOSFODNN7' "
        "SECRET_ACCESS_KEY = SECRET main.public.k REGION = 'eu-west-1' "
        "ENDPOINT_URL = 'https://minio.example:9000' ENABLE_VIRTUAL_HOST_STYLE = TRUE"
    ),
    "clickzetta": (
        "CREATE OR REPLACE STORAGE CONNECTION main.lake TYPE S3 ACCESS_KEY = 'AKIAIOSFODNN7' "
        "SECRET_KEY = SECRET main.public.k REGION = 'eu-west-1' ENDPOINT = 'https://minio.example:9000' "
        "PATH_STYLE = FALSE"
    ),
}

NATIVE_INLINE = {
    "singlestore": ('CREATE OR REPLACE LINK `main`.`lake` AS S3 CREDENTIALS STORED CONFIG \'{"region": "eu-west-1"}\''),
    "databend": (
        "CREATE OR REPLACE CONNECTION main.public.lake STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'AKIAIOSFODNN7' "
        "SECRET_ACCESS_KEY = STORED REGION = 'eu-west-1'"
    ),
    "clickzetta": (
        "CREATE OR REPLACE STORAGE CONNECTION main.lake TYPE S3 ACCESS_KEY = 'AKIAIOSFODNN7' SECRET_KEY = STORED "
        "REGION = 'eu-west-1'"
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_natively_each_spelling_is_shown_back_as_itself(spelling):
    assert render.show_create(info(stored(define(SAME[spelling]))), "native") == NATIVE[spelling]


@pytest.mark.parametrize("spelling", INLINE)
def test_natively_an_inline_secret_is_the_keyword_stored(spelling):
    assert render.show_create(info(stored(define(INLINE[spelling]))), "native") == NATIVE_INLINE[spelling]


@pytest.mark.parametrize("text", [*SAME.values(), *INLINE.values()])
def test_the_native_text_runs_again_and_changes_nothing(text):
    current = stored(define(text))
    (again,) = parse(render.show_create(info(current), "native"))
    assert isinstance(again, ast.CreateConnection)
    assert again.or_replace
    assert again.name.last == "lake"
    assert meaning.keep(current, meaning.define(again, "native")) == current


def test_an_altered_link_is_shown_with_its_changed_config():
    altered = edit(stored(define(INLINE["singlestore"])), "ALTER LINK lake SET CONFIG ::disable_gunzip = true")
    shown = render.show_create(info(altered, comment="it's"), "native")
    assert shown.endswith("""CONFIG '{"region":"eu-west-1","disable_gunzip":true}' DESCRIPTION 'it''s'""")


def test_a_link_without_credentials_says_nothing_of_them():
    shown = render.show_create(info(define("CREATE LINK l AS S3 CREDENTIALS '{}' CONFIG ''")), "native")
    assert shown == "CREATE OR REPLACE LINK `main`.`lake` AS S3"


def test_the_strict_singlestore_text_is_one_line_that_ends_in_the_mask():
    text = "CREATE LINK l AS S3 CREDENTIALS '{}' CONFIG '{\"region\":\n \"eu\"}'"
    shown = render.show_create(info(define(text)), "singlestore")
    assert shown == (r'CREATE LINK `lake` AS S3 CONFIG "{\"region\":\n \"eu\"}" CREDENTIALS <CREDENTIALS REDACTED>')


@pytest.mark.parametrize("spelling", INLINE)
def test_the_strict_materialize_text_masks_inline_secrets(spelling):
    shown = render.show_create(info(stored(define(INLINE[spelling]))), "materialize")
    assert shown == (
        "CREATE CONNECTION main.public.lake\n"
        "TO AWS (ACCESS KEY ID = 'AKIAIOSFODNN7', REGION = 'eu-west-1', SECRET ACCESS KEY = '<REDACTED>');"
    )
    assert len(max(shown.splitlines(), key=len)) <= 100


@pytest.mark.parametrize(("length", "lines"), [(10, 1), (48, 2), (60, 4), (80, 5)])
def test_the_materialize_text_breaks_only_where_100_columns_do_not_suffice(length, lines):
    made = define(f"CREATE CONNECTION c TO AWS (ASSUME ROLE ARN = '{'r' * length}', REGION = 'x')")
    shown = render.show_create(info(made), "native").splitlines()
    assert len(shown) == lines
    assert shown[-1].endswith(");")
    assert lines == 5 or all(len(line) <= 100 for line in shown)


def test_the_redacted_text_masks_identities_too_and_still_parses():
    made = define("CREATE CONNECTION c TO AWS (ACCESS KEY ID 'AKIA', SECRET ACCESS KEY SECRET k, REGION 'r')")
    shown = render.show_create(info(stored(made)), "native", redacted=True)
    assert "ACCESS KEY ID = '<redacted>'" in shown
    assert "SECRET ACCESS KEY = SECRET main.public.k" in shown
    assert "REGION = 'r'" in shown
    with pytest.raises(Exception, match="value of ACCESS KEY ID is a mask, not a secret"):
        define(shown)


def test_concatenations_are_masked_part_by_part_or_stored_as_a_whole():
    text = "CREATE CONNECTION c TO AWS (ACCESS KEY ID 'AK', SECRET ACCESS KEY 'hunter' || SECRET k)"
    made = stored(define(text))
    assert "SECRET ACCESS KEY = STORED" in render.show_create(info(made), "native")
    masked = "SECRET ACCESS KEY = '<REDACTED>' || SECRET main.public.k"
    assert masked in render.show_create(info(made), "materialize")
    only_secrets = stored(
        define("CREATE CONNECTION c TO AWS (ACCESS KEY ID 'a', SECRET ACCESS KEY SECRET a || SECRET b)")
    )
    assert "SECRET main.public.a || SECRET main.public.b" in render.show_create(info(only_secrets), "native")


def test_names_are_quoted_where_they_need_it():
    made = define("CREATE CONNECTION c STORAGE_TYPE = 's3'")
    assert 'main.public."my ""lake"' in render.show_create(info(made, name='my "lake'), "native")
    link = define("CREATE LINK l AS S3")
    assert "`main`.`my ``lake`" in render.show_create(info(link, name="my `lake"), "native")


def test_a_stage_is_shown_with_its_connection_and_runs_again():
    shown = render.show_create_stage(
        stage(
            define("CREATE CONNECTION c STORAGE_TYPE = 's3'"),
            file_format={"TYPE": "CSV", "FIELD_DELIMITER": "'", "SKIP_HEADER": "1"},
            comment="it's",
        )
    )
    assert shown == (
        "CREATE OR REPLACE STAGE main.public.raw URL = 's3://acme/raw/' "
        "CONNECTION = (CONNECTION_NAME = 'main.public.lake') "
        "FILE_FORMAT = (TYPE = CSV FIELD_DELIMITER = '''' SKIP_HEADER = 1) COMMENT = 'it''s'"
    )
    (again,) = parse(shown)
    assert isinstance(again, ast.CreateStage)
    assert again.connection == ast.Name(("main", "public", "lake"))
    assert again.comment == "it's"
    assert [option.name for option in again.file_format] == ["TYPE", "FIELD_DELIMITER", "SKIP_HEADER"]


def test_the_generated_external_id_is_not_written_down():
    made = define("CREATE STORAGE CONNECTION c TYPE S3 ROLE_ARN = 'r' REGION = 'x'")
    shown = render.show_create(info(made), "native")
    external_id = made.options["external_id"]
    assert isinstance(external_id, Plain)
    assert external_id.text not in shown
