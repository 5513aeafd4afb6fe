"""Settings of a session."""

from __future__ import annotations

import pytest

from fairlead.dialects.settings import SessionSettings
from fairlead.errors import InvalidParameter, UndefinedObject


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("dialect", "DATABEND", "databend"),
        ("statement_timeout", "1500", "1500"),
        ("statement_timeout", "1.5s", "1500"),
        ("statement_timeout", "2 min", "120000"),
        ("timezone", "europe/berlin", "Europe/Berlin"),
        ("TIME_ZONE", "utc", "UTC"),
        ("application_name", "psql\n\x00é", "psql???"),
        ("application_name", "x" * 100, "x" * 63),
        ("client_encoding", "utf-8", "UTF8"),
        ("DateStyle", "ISO", "ISO, MDY"),
        ("extra_float_digits", "3", "3"),
        ("search_path", '"$user", public', "$user, public"),
        ("validate_connections", "true", "on"),
        ("validate_connections", "AUTO", "auto"),
        ("standard_conforming_strings", "ON", "on"),
        ("enable_experimental_connection_privilege_check", "1", "1"),
    ],
)
def test_a_value_is_checked_and_shown_canonically(name, value, shown):
    settings = SessionSettings()
    assert settings.set(name, value) is None
    assert settings.show(name)[1] == [(shown,)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dialect", "oracle"),
        ("statement_timeout", "-1"),
        ("statement_timeout", "soon"),
        ("statement_timeout", "99999999999999"),
        ("TimeZone", "Mars/Olympus"),
        ("TimeZone", "../../etc/passwd"),
        ("client_encoding", "LATIN1"),
        ("DateStyle", "German"),
        ("extra_float_digits", "9"),
        ("search_path", "a,,b"),
        ("standard_conforming_strings", "off"),
        ("validate_connections", "perhaps"),
        ("bytea_output", "escape"),
    ],
)
def test_a_value_that_cannot_be_honoured_is_refused(name, value):
    settings = SessionSettings()
    before = settings.show(name)
    with pytest.raises(InvalidParameter, match=f'invalid value for parameter "{name}"') as caught:
        settings.set(name, value)
    assert caught.value.hint
    assert settings.show(name) == before


def test_an_unknown_name_is_refused_with_the_nearest_one():
    settings = SessionSettings()
    for attempt in (
        lambda: settings.set("dialekt", "x"),
        lambda: settings.show("dialekt"),
        lambda: settings.reset("dialekt"),
    ):
        with pytest.raises(UndefinedObject, match='unrecognized configuration parameter "dialekt"') as caught:
            attempt()
        assert caught.value.hint == "did you mean dialect?"


@pytest.mark.parametrize(
    "name", ["enable_experimental_connection_rbac_check", "ENABLE_EXPERIMENTAL_CONNECTION_PRIVILEGE_CHECK"]
)
def test_rights_cannot_be_switched_off(name):
    settings = SessionSettings()
    warning = settings.set(name, "0")
    assert warning == "connection privileges are always enforced; the setting has no effect"
    assert settings.show(name) == ((name.lower(),), [("1",)])


def test_the_typed_values_follow_the_settings():
    settings = SessionSettings(application_name="psql")
    assert (settings.dialect, settings.application_name, settings.time_zone) == ("native", "psql", "UTC")
    assert settings.statement_timeout == 0
    assert settings.validate_connections is None
    settings.set("statement_timeout", "250")
    settings.set("validate_connections", "off")
    assert settings.statement_timeout == 0.25
    assert settings.validate_connections is False


def test_reset_and_default_go_back():
    settings = SessionSettings()
    settings.set("dialect", "databend")
    settings.set("TimeZone", "Asia/Tokyo")
    settings.set("dialect", None)
    assert settings.dialect == "native"
    settings.set("dialect", "clickzetta")
    settings.reset("dialect")
    assert settings.dialect == "native"
    assert settings.time_zone == "Asia/Tokyo"
    settings.reset(None)
    assert settings.time_zone == "UTC"


def test_clients_are_told_of_changes_once():
    settings = SessionSettings()
    assert settings.take_reports() == {}
    settings.set("TimeZone", "Asia/Tokyo")
    settings.set("dialect", "databend")
    settings.set("client_encoding", "UTF8")
    assert settings.take_reports() == {"TimeZone": "Asia/Tokyo"}
    assert settings.take_reports() == {}


def test_show_all_lists_every_setting_with_a_sentence():
    columns, rows = SessionSettings().show(None)
    assert columns == ("name", "setting", "description")
    assert ("dialect", "native") in {row[:2] for row in rows}
    assert all((row[2] or "").endswith(".") for row in rows)
