"""A gateway with connection, stage and analyst on the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import psycopg

    from tests.services.gateway import Gateway
    from tests.services.lake import Lake

ANALYST_PASSWORD = "an analyst's own password"


@pytest.fixture(scope="module")
def admin(gateway: Gateway, lake: Lake) -> psycopg.Connection[tuple[Any, ...]]:
    """The administrator, with connection ``lake``, stage ``raw`` and user ``analyst`` made."""
    who = gateway.connect()
    who.execute(f"CREATE SECRET lake_key AS '{lake.store.key.secret_access_key}'")
    who.execute(lake.connection_sql("materialize", "lake"))
    who.execute(f"CREATE STAGE raw URL = 's3://{lake.bucket}/raw/' CONNECTION = (CONNECTION_NAME = 'lake')")
    who.execute("CREATE USER analyst PASSWORD 'an analyst''s own password'")
    who.execute("GRANT READ ON STAGE raw TO analyst")
    return who


@pytest.fixture
def analyst(gateway: Gateway, admin: psycopg.Connection[tuple[Any, ...]]) -> Any:
    del admin
    with gateway.connect("analyst", ANALYST_PASSWORD) as who:
        yield who
