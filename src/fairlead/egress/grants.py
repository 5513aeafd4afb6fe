"""Which connection a request goes through, and whether the caller may: decided afresh on every request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.egress.paths import Place
from fairlead.errors import PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fairlead.access.rules import Action, Rule
    from fairlead.egress.door import Alias


@dataclass(frozen=True, slots=True)
class Route:
    """Through which connection to which real place, and by which right."""

    connection_id: int
    place: Place
    rule: Rule


def real_place(place: Place, aliases: Mapping[str, Alias]) -> Place:
    """Return the place with the real name of its bucket."""
    alias = aliases.get(place.bucket)
    return place if alias is None else Place(alias.bucket, place.key)


def route(place: Place, action: Action, rules: Sequence[Rule], aliases: Mapping[str, Alias]) -> Route:
    """Return how a request goes out.

    The longest prefix decides on the connection; then any rule of that connection that covers the place may allow the
    action.

    Args:
        place: as the worker named it; the key of a listing is its prefix.
        action: what it does.
        rules: of the principal.
        aliases: of the door.

    Raises:
        PermissionDenied: no rule covers the place, none allows the action, or two connections are equally near.
    """
    alias = aliases.get(place.bucket)
    real = real_place(place, aliases)
    covering = [
        rule
        for rule in rules
        if rule.covers(real.bucket, real.key) and (alias is None or rule.connection_id == alias.connection_id)
    ]
    if not covering:
        raise PermissionDenied(
            f"permission denied for {real}: no stage or connection that you may use covers it",
            hint="ask for READ or WRITE on a stage there, or for USAGE on the connection",
        )
    nearest = max(_nearness(rule) for rule in covering)
    connections = {rule.connection_id for rule in covering if _nearness(rule) == nearest}
    if len(connections) > 1:
        ways = ", ".join(sorted(rule.via for rule in covering if _nearness(rule) == nearest))
        raise PermissionDenied(
            f"permission denied for {real}: it is reached equally well through {ways}",
            hint="name the stage (@stage/path) instead of the URL, or the connection with it: COPY ... TO "
            "'s3://...' WITH (AWS CONNECTION = c), FROM 's3://...' (CONNECTION => (CONNECTION_NAME = 'c'))",
        )
    (chosen,) = connections
    allowing = [rule for rule in covering if rule.connection_id == chosen and action in rule.actions]
    if not allowing:
        ways = ", ".join(sorted({rule.via for rule in covering if rule.connection_id == chosen}))
        raise PermissionDenied(f"permission denied for {real}: {action.upper()} is not granted through {ways}")
    return Route(chosen, real, max(allowing, key=_nearness))


def _nearness(rule: Rule) -> tuple[bool, int]:
    return rule.bucket is not None, len(rule.prefix)
