"""SET, SET LOCAL and RESET, inside and outside of transaction blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.errors import UndefinedObject

if TYPE_CHECKING:
    from tests.commands.conftest import Desk


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("SET statement_timeout = 7", "7"),
        ("BEGIN; SET statement_timeout = 7; COMMIT", "7"),
        ("BEGIN; SET statement_timeout = 7; ROLLBACK", "0"),
        ("BEGIN; SET LOCAL statement_timeout = 7; COMMIT", "0"),
        ("BEGIN; SET LOCAL statement_timeout = 7; SET statement_timeout = 8; COMMIT", "8"),
        ("SET LOCAL statement_timeout = 7", "0"),
        ("SET statement_timeout = 7; RESET statement_timeout", "0"),
    ],
)
def test_a_setting_lasts_as_long_as_its_scope_says(desk: Desk, script: str, value: str) -> None:
    desk.outputs(script)
    assert desk.rows("SHOW statement_timeout") == [(value,)]


def test_a_local_setting_outside_of_a_block_is_warned_of(desk: Desk) -> None:
    assert desk.notices("SET LOCAL statement_timeout = 7") == ["SET LOCAL can only be used in transaction blocks"]


def test_an_unknown_setting_is_refused_with_the_nearest(desk: Desk) -> None:
    with pytest.raises(UndefinedObject) as caught:
        desk.outputs("SET statement_timout = 7")
    assert "statement_timeout" in str(caught.value.hint)
