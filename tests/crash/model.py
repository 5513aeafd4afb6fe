"""What the catalog must hold after a history of statements: a model to compare a restarted gateway with.

Each client works on objects of its own (names begin with its number), so the statements of a client are a sequence and
the model of the whole is the models of the clients side by side.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

Grant = tuple[str, str, str, str]  # privilege, kind, object, grantee


@dataclass(frozen=True, slots=True)
class State:
    """The objects of one client.

    Args:
        secrets: name to value.
        connections: name to (region, name of the secret, enabled).
        stages: name to (url, connection).
        roles: names.
        grants: all that are in force.
    """

    secrets: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, tuple[str, str, bool]] = field(default_factory=dict)
    stages: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    grants: frozenset[Grant] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """A statement and the state after it."""

    sql: str
    after: State


def next_step(state: State, client: str, chance: random.Random) -> Step:
    """Return a statement that must succeed in a state, chosen by chance."""
    possible = [step for make in _MAKERS for step in [make(state, client, chance)] if step is not None]
    return chance.choice(possible)


def _fresh(taken: Mapping[str, object] | frozenset[str], prefix: str) -> str | None:
    return next((name for name in (f"{prefix}{n}" for n in range(4)) if name not in taken), None)


def _create_secret(state: State, client: str, _: random.Random) -> Step | None:
    name, value = _fresh(state.secrets, f"{client}_s"), secrets.token_hex(8)
    if name is None:
        return None
    return Step(f"CREATE SECRET {name} AS '{value}'", replace(state, secrets={**state.secrets, name: value}))


def _alter_secret(state: State, _: str, chance: random.Random) -> Step | None:
    if not state.secrets:
        return None
    name, value = chance.choice(sorted(state.secrets)), secrets.token_hex(8)
    verb = chance.choice(("ALTER SECRET", "CREATE OR REPLACE SECRET"))
    return Step(f"{verb} {name} AS '{value}'", replace(state, secrets={**state.secrets, name: value}))


def _create_connection(state: State, client: str, chance: random.Random) -> Step | None:
    name = _fresh(state.connections, f"{client}_c")
    if name is None or not state.secrets:
        return None
    secret, region = chance.choice(sorted(state.secrets)), f"r-{secrets.token_hex(3)}"
    options = f"ACCESS KEY ID = 'a', SECRET ACCESS KEY = SECRET {secret}, REGION = '{region}'"
    return Step(
        f"CREATE CONNECTION {name} TO AWS ({options})",
        replace(state, connections={**state.connections, name: (region, secret, True)}),
    )


def _alter_connection(state: State, _: str, chance: random.Random) -> Step | None:
    if not state.connections:
        return None
    name, region = chance.choice(sorted(state.connections)), f"r-{secrets.token_hex(3)}"
    _, _, enabled = state.connections[name]
    other = chance.choice(sorted(state.secrets))
    return Step(
        f"ALTER CONNECTION {name} SET (REGION = '{region}'), SET (SECRET ACCESS KEY = SECRET {other})",
        replace(state, connections={**state.connections, name: (region, other, enabled)}),
    )


def _switch_connection(state: State, _: str, chance: random.Random) -> Step | None:
    if not state.connections:
        return None
    name = chance.choice(sorted(state.connections))
    region, secret, enabled = state.connections[name]
    return Step(
        f"ALTER CONNECTION {name} {'DISABLE' if enabled else 'ENABLE'}",
        replace(state, connections={**state.connections, name: (region, secret, not enabled)}),
    )


def _create_stage(state: State, client: str, chance: random.Random) -> Step | None:
    name = _fresh(state.stages, f"{client}_t")
    if name is None or not state.connections:
        return None
    connection, url = chance.choice(sorted(state.connections)), f"s3://b/{secrets.token_hex(3)}/"
    return Step(
        f"CREATE STAGE {name} URL = '{url}' CONNECTION = (CONNECTION_NAME = '{connection}')",
        replace(state, stages={**state.stages, name: (url, connection)}),
    )


def _create_role(state: State, client: str, _: random.Random) -> Step | None:
    name = _fresh(state.roles, f"{client}_r")
    return None if name is None else Step(f"CREATE ROLE {name}", replace(state, roles=state.roles | {name}))


def _grant(state: State, _: str, chance: random.Random) -> Step | None:
    """Two privileges to every role in one statement: half of it must never be seen."""
    if not state.roles or not state.stages:
        return None
    stage, roles = chance.choice(sorted(state.stages)), sorted(state.roles)
    new = {(privilege, "stage", stage, role) for privilege in ("READ", "WRITE") for role in roles}
    sql = f"GRANT READ, WRITE ON STAGE {stage} TO {', '.join(roles)}"
    return Step(sql, replace(state, grants=state.grants | new))


def _grant_usage(state: State, _: str, chance: random.Random) -> Step | None:
    if not state.roles or not state.connections:
        return None
    connection, roles = chance.choice(sorted(state.connections)), sorted(state.roles)
    new = {("USAGE", "connection", connection, role) for role in roles}
    return Step(
        f"GRANT USAGE ON CONNECTION {connection} TO {', '.join(roles)}", replace(state, grants=state.grants | new)
    )


def _revoke(state: State, _: str, chance: random.Random) -> Step | None:
    if not state.grants:
        return None
    _, kind, name, _ = chance.choice(sorted(state.grants))
    gone = {grant for grant in state.grants if grant[1:3] == (kind, name)}
    privileges, roles = sorted({g[0] for g in gone}), sorted({g[3] for g in gone})
    sql = f"REVOKE {', '.join(privileges)} ON {kind.upper()} {name} FROM {', '.join(roles)}"
    return Step(sql, replace(state, grants=state.grants - gone))


def _drop_stages(state: State, _: str, chance: random.Random) -> Step | None:
    if not state.stages:
        return None
    gone = chance.sample(sorted(state.stages), k=min(2, len(state.stages)))
    return Step(f"DROP STAGE {', '.join(gone)}", _without(state, stages=set(gone)))


def _drop_connection(state: State, _: str, chance: random.Random) -> Step | None:
    if not state.connections:
        return None
    gone = chance.choice(sorted(state.connections))
    return Step(f"DROP CONNECTION {gone} CASCADE", _without(state, connections={gone}))


def _drop_secret(state: State, _: str, chance: random.Random) -> Step | None:
    """Takes connections with it, and these take stages with them."""
    if not state.secrets:
        return None
    gone = chance.choice(sorted(state.secrets))
    return Step(f"DROP SECRET {gone} CASCADE", _without(state, secrets_={gone}))


def _drop_role(state: State, _: str, chance: random.Random) -> Step | None:
    if not state.roles:
        return None
    gone = chance.choice(sorted(state.roles))
    kept = frozenset(grant for grant in state.grants if grant[3] != gone)
    return Step(f"DROP ROLE {gone}", replace(state, roles=state.roles - {gone}, grants=kept))


def _without(
    state: State,
    *,
    secrets_: set[str] | None = None,
    connections: set[str] | None = None,
    stages: set[str] | None = None,
) -> State:
    secrets_, connections, stages = secrets_ or set(), connections or set(), stages or set()
    connections = connections | {name for name, (_, secret, _) in state.connections.items() if secret in secrets_}
    stages = stages | {name for name, (_, connection) in state.stages.items() if connection in connections}
    gone = {("connection", name) for name in connections} | {("stage", name) for name in stages}
    return State(
        {name: value for name, value in state.secrets.items() if name not in secrets_},
        {name: value for name, value in state.connections.items() if name not in connections},
        {name: value for name, value in state.stages.items() if name not in stages},
        state.roles,
        frozenset(grant for grant in state.grants if grant[1:3] not in gone),
    )


_MAKERS: tuple[Callable[[State, str, random.Random], Step | None], ...] = (
    _create_secret,
    _alter_secret,
    _create_connection,
    _alter_connection,
    _switch_connection,
    _create_stage,
    _create_role,
    _grant,
    _grant_usage,
    _revoke,
    _drop_stages,
    _drop_connection,
    _drop_secret,
    _drop_role,
)
