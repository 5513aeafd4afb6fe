from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import FairleadError, InvalidParameter
from fairlead.server.pgwire.settings import parse_options, requested


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", {}),
        ("   ", {}),
        ("-c a=b", {"a": "b"}),
        ("-ca=b", {"a": "b"}),
        ("--a-b=c", {"a_b": "c"}),
        ("-c a=b -c c=d --e=f", {"a": "b", "c": "d", "e": "f"}),
        (r"-c a=b\ c", {"a": "b c"}),
        (r"-c a=b\\c", {"a": r"b\c"}),
        ("-c a=", {"a": ""}),
        ("-c a=b=c", {"a": "b=c"}),
        ("-c a=b -c a=c", {"a": "c"}),
    ],
)
def test_an_option_string_is_read_as_postgresql_reads_it(text, settings):
    assert parse_options(text) == settings


@pytest.mark.parametrize("text", ["a=b", "-c", "-c a", "-x 1", "--", "-c =b", "\\"])
def test_anything_else_in_an_option_string_is_refused(text):
    with pytest.raises(InvalidParameter, match="invalid option"):
        parse_options(text)


@given(st.text(max_size=30))
def test_no_option_string_breaks_the_reader(text):
    with contextlib.suppress(FairleadError):
        assert isinstance(parse_options(text), dict)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(st.characters(exclude_characters="\0"), max_size=9)
    )
)
def test_settings_written_as_options_come_back(settings):
    def escaped(value):
        return "".join("\\" + c if c.isspace() or c == "\\" else c for c in value)

    assert parse_options(" ".join(f"-c {name}={escaped(value)}" for name, value in settings.items())) == settings


@pytest.mark.parametrize("encoding", ["UTF8", "utf-8", "'utf-8'", "Unicode"])
def test_every_name_of_utf8_is_accepted(encoding):
    assert requested({"user": "a", "database": "b", "client_encoding": encoding, "TimeZone": "UTC"}) == {
        "TimeZone": "UTC"
    }


def test_a_parameter_goes_over_an_option():
    assert requested({"user": "a", "options": "-c x=1 -c y=2", "x": "3"}) == {"x": "3", "y": "2"}
