"""Types of parameters that a client has not given, as DuckDB would choose them.

DuckDB 1.5 does not tell them (``duckdb_prepared_statements()`` says UNKNOWN), but it explains a statement in which each
parameter is a text that fits no type but text: the plan shows the cast that it chose for each, or the error does.
Explaining runs nothing. What cannot be found out is a text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import duckdb
from duckdb.sqltypes import DuckDBPyType
from duckdb.value.constant import Value

from fairlead.worker import parameters
from fairlead.worker.pgtypes import pg_type

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from duckdb import DuckDBPyConnection

_TEXT_ARRAY: Final = 1009
_INSERT: Final = re.compile(r"\s*INSERT\b", re.IGNORECASE)
_CAST: Final = re.compile(r"CAST\('fairlead \$(\d+) \?' AS ([A-Z_][A-Z_ ]*(?:\(\d+,\s*\d+\))?(?:\[\d*\])?)")
# How the engine complains of the text.
_NUMBER: Final = re.compile(r"string \\*['\"]fairlead \$(\d+) \?\\*['\"] to ([A-Z]+[0-9]*(?:\(\d+,\d+\))?)")
_DOCUMENT: Final = re.compile(r"Malformed JSON .*fairlead \$(\d+) \?")
_OPERAND: Final = re.compile(
    r"[-+*/%]\((?:([A-Z]+(?:\(\d+,\d+\))?|INTEGER_LITERAL), STRING_LITERAL|STRING_LITERAL, ([A-Z_]+(?:\(\d+,\d+\))?))\)"
)
_DESTINATION: Final = re.compile(r"'fairlead \$(\d+) \?' can't be cast to the destination type (.+)")
_MOMENT: Final = re.compile(r"(date|time|timestamp) field (?:format|value out of range): \\*\"fairlead \$(\d+) \?")
_MEMBER: Final = re.compile(r"values of type (.+?) and STRUCT\(fairlead(\d+) INTEGER\)")
_TARGET: Final = re.compile(r"type for cast \(STRUCT\(fairlead(\d+) INTEGER\) -> (.+?)\)(?:\"| )")
_STORED: Final = {
    "BOOL": "BOOLEAN",
    "INT8": "TINYINT",
    "INT16": "SMALLINT",
    "INT32": "INTEGER",
    "INT64": "BIGINT",
    "INT128": "UUID",  # or a HUGEINT, of which there are fewer
    "UINT8": "UTINYINT",
    "UINT16": "USMALLINT",
    "UINT32": "UINTEGER",
    "UINT64": "UBIGINT",
    "UINT128": "UHUGEINT",
}
_LITERALS: Final = {"INTEGER_LITERAL": "BIGINT", "STRING_LITERAL": "VARCHAR"}
# A list is expected behind ANY and its like, and before a cast to a type of lists.
_IN_ANY: Final = re.compile(r"\b(?:ANY|ALL|SOME)\s*\(\s*\$(\d+)\s*\)", re.IGNORECASE)
_AS_LIST: Final = re.compile(
    r"\$(\d+)\s*::\s*[\w ]+(?:\([\d, ]*\))?\s*\[|CAST\s*\(\s*\$(\d+)\s+AS\s[^()]*\[", re.IGNORECASE
)


def wants_list(text: str, name: str) -> bool:
    """Tell whether a statement takes a list for a parameter.

    Args:
        text: of the statement.
        name: of the parameter: its number.
    """
    found = {match[1] for match in _IN_ANY.finditer(text)}
    found |= {match[1] or match[2] for match in _AS_LIST.finditer(text)}
    return name in found


def infer(
    instance: DuckDBPyConnection, beside: DuckDBPyConnection, text: str, known: Mapping[str, int]
) -> dict[str, int]:
    """Return the type of each parameter as an OID of PostgreSQL.

    Args:
        instance: explains the statement; nothing is run.
        beside: another connection, which does so while the first one is in a transaction: an error would end that. It
            does not see what is temporary, or not committed; parameters beside such tables are texts then.
        text: one SELECT, or a statement that changes rows.
        known: types by name of the parameter; 0 = to be found.
    """
    types = dict(known)
    members = {match[1] for match in _IN_ANY.finditer(text)}
    probe = _Probe(beside if _in_transaction(instance) else instance, text, members)
    # What is stored names its exact type when it is a struct, as it is no text that could be cast.
    for structs in (True, False) if _INSERT.match(text) else (False,):
        probe.fill(types, structs=structs)
    return {name: oid or (_TEXT_ARRAY if name in members else parameters.TEXT_OID) for name, oid in types.items()}


def _in_transaction(instance: DuckDBPyConnection) -> bool:
    """Tell whether two statements have one beginning: to begin a transaction in another would end that one."""
    query = "SELECT system.main.epoch_us(system.main.now())"  # when the transaction began
    return instance.execute(query).fetchall() == instance.execute(query).fetchall()


class _Probe:
    """Explains one statement with values that fit nowhere.

    Args:
        instance: a failure on it does no harm.
        text: of the statement.
        members: the parameters that stand in ANY.
    """

    def __init__(self, instance: DuckDBPyConnection, text: str, members: Collection[str]) -> None:
        self._instance = instance
        self._text = text
        self._members = members

    def fill(self, types: dict[str, int], *, structs: bool) -> None:
        """Fill in the types that can be found with one kind of values; each error tells of one parameter."""
        for _ in range(len(types) + 1):
            unknown = [name for name, oid in types.items() if not oid]
            if not unknown:
                return
            bound = {name: parameters.sample(oid) for name, oid in types.items() if oid}
            strangers = {name: _stranger(name, member=name in self._members, struct=structs) for name in unknown}
            try:
                plan = self._explained(bound | strangers)
            except duckdb.Error as error:
                told = _named(str(error)) or self._operand(str(error), bound, strangers)
                if told is None or told[0] not in unknown:
                    return
                types.update([told])
            else:
                types.update((name, pg_type(found.strip()).oid) for name, found in _CAST.findall(plan))
                return

    def _operand(self, message: str, bound: Mapping[str, Any], strangers: Mapping[str, Any]) -> tuple[str, int] | None:
        """Return the parameter that an operator has no use for: the one without which the error is another."""
        found = _OPERAND.search(message)
        if found is None:
            return None
        kind = found[1] or found[2]
        for name in strangers:
            others = dict.fromkeys(strangers)
            try:
                self._explained({**bound, **others, name: strangers[name]})
            except duckdb.Error as error:
                if found[0] in str(error):
                    return name, pg_type(_LITERALS.get(kind, kind)).oid
        return None

    def _explained(self, bound: Mapping[str, Any]) -> str:
        """Return the plan as it was bound: an optimized one leaves out what can never be true."""
        self._instance.execute("PRAGMA disable_optimizer")
        try:
            plan = self._instance.execute(f"EXPLAIN (FORMAT json) {self._text}", dict(bound)).fetchall()
            return "".join(str(row[-1]) for row in plan)
        finally:
            self._instance.execute("PRAGMA enable_optimizer")


def _stranger(name: str, *, member: bool, struct: bool) -> Any:
    """Return a value that fits nowhere and names its parameter; for a member of ANY a list of such."""
    kind = f"STRUCT(fairlead{name} INTEGER)"
    one = {f"fairlead{name}": 1}
    if member:
        return Value([one], DuckDBPyType(f"{kind}[]"))
    return Value(one, DuckDBPyType(kind)) if struct else f"fairlead ${name} ?"


def _named(message: str) -> tuple[str, int] | None:
    """Return the parameter that an error names, and its type."""
    if found := _MEMBER.search(message):
        return found[2], pg_type(f"{_LITERALS.get(found[1], found[1])}[]").oid
    if found := _MOMENT.search(message):
        return found[2], pg_type(found[1].upper()).oid
    if found := _DOCUMENT.search(message):
        return found[1], pg_type("JSON").oid
    for pattern in (_TARGET, _DESTINATION, _NUMBER):
        if found := pattern.search(message):
            name = found[2].split('"')[0].strip()
            return found[1], pg_type(_STORED.get(name, name)).oid
    return None
