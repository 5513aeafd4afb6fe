"""The whole corpus again with each layer switched off in turn: what is left must still hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security.case import LAYERS
from tests.security.corpus import CASES
from tests.security.verdict import judge

if TYPE_CHECKING:
    from tests.security.case import Case
    from tests.security.world import World

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize("world_without", LAYERS, indirect=True, scope="module")
def test_an_attack_is_refused_without_one_layer(case: Case, world_without: World):
    judge(case, world_without)
