"""Grants as PostgreSQL writes them: ``grantee=letters/grantor``, nothing before the ``=`` for everybody."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fairlead.catalog.records import GrantRecord, RoleRecord
    from fairlead.catalog.snapshot import Snapshot

TABLE_LETTERS: Final = {"SELECT": "r", "INSERT": "a", "UPDATE": "w", "DELETE": "d", "TRUNCATE": "D"}
PLACE_LETTERS: Final = {"USAGE": "U", "CREATE": "C"}
_ORDER: Final = "arwdDUC"


def acl(
    grants: Iterable[GrantRecord], roles: Mapping[int, RoleRecord], owner_id: int | None, letters: Mapping[str, str]
) -> list[str] | None:
    """Return PostgreSQL's acl, None where nothing was granted: ``grantee=letters/grantor``, the owner first."""
    given: dict[tuple[int, int], list[tuple[str, bool]]] = defaultdict(list)
    for grant in grants:
        if grant.privilege in letters and not grant.narrowed:
            given[grant.grantee_id, grant.grantor_id].append((letters[grant.privilege], grant.grant_option))
    if not given:
        return None
    owner = roles[owner_id].name if owner_id is not None and owner_id in roles else "fairlead"
    entries = [f"{_name(owner)}={''.join(sorted(letters.values(), key=_ORDER.index))}/{_name(owner)}"]
    for (grantee_id, grantor_id), privileges in given.items():
        grantee = roles[grantee_id].name if grantee_id in roles else ""
        grantor = roles[grantor_id].name if grantor_id in roles and roles[grantor_id].login else owner
        ordered = sorted(privileges, key=lambda one: _ORDER.index(one[0]))
        written = "".join(letter + ("*" if option else "") for letter, option in ordered)
        entries.append(f"{'' if grantee == 'public' else _name(grantee)}={written}/{_name(grantor)}")
    return entries


def _name(name: str) -> str:
    plain = name.replace("_", "").isalnum()
    return name if plain else '"' + name.replace('"', '""') + '"'


def of_places(snapshot: Snapshot, kind: str) -> dict[int, list[str] | None]:
    """Return the acl of each database or schema on which something was granted, by its id."""
    roles = {role.id: role for role in snapshot.roles()}
    places = snapshot.databases() if kind == "database" else snapshot.schemas()
    owners = {place.id: place.owner_id for place in places}
    grants: dict[int, list[GrantRecord]] = defaultdict(list)
    for grant in snapshot.grants(object_kind=kind):
        if grant.object_id is not None:
            grants[grant.object_id].append(grant)
    return {place: acl(found, roles, owners.get(place), PLACE_LETTERS) for place, found in grants.items()}


def of_columns(snapshot: Snapshot) -> dict[tuple[int, str], list[str]]:
    """Return what narrowed grants give of columns."""
    roles = {role.id: role.name for role in snapshot.roles()}
    found: dict[tuple[int, str], list[str]] = defaultdict(list)
    for grant in snapshot.grants(object_kind="table"):
        for column in grant.columns or ():
            grantee, grantor = roles.get(grant.grantee_id, ""), roles.get(grant.grantor_id, "fairlead")
            entry = f"{'' if grantee == 'public' else _name(grantee)}=r/{_name(grantor)}"
            if grant.object_id is not None:
                found[grant.object_id, column.casefold()].append(entry)
    return found
