"""A session's prepared statements: those of the protocol and SQL's own, which share their names.

``EXECUTE`` becomes the statement that was prepared, with its literals as values of the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.engine.api import Parameter
from fairlead.errors import DuplicateStatement, InvalidParameter, NotSupported, UndefinedObject, UndefinedStatement
from fairlead.lang import ast
from fairlead.session_types import Complete
from fairlead.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.session_types import Output

# Names of PostgreSQL's types, with the ids of pg_type.
_OIDS: Final = {
    **dict.fromkeys(("bool", "boolean"), 16),
    "bytea": 17,
    **dict.fromkeys(("bigint", "int8"), 20),
    **dict.fromkeys(("smallint", "int2"), 21),
    **dict.fromkeys(("int", "integer", "int4"), 23),
    **dict.fromkeys(("text", "varchar", "character varying", "char", "character", "name"), 25),
    **dict.fromkeys(("json", "jsonb"), 114),
    **dict.fromkeys(("real", "float4"), 700),
    **dict.fromkeys(("double precision", "float8", "float", "double"), 701),
    "date": 1082,
    **dict.fromkeys(("time", "time without time zone"), 1083),
    **dict.fromkeys(("timestamp", "timestamp without time zone"), 1114),
    **dict.fromkeys(("timestamptz", "timestamp with time zone"), 1184),
    "interval": 1186,
    **dict.fromkeys(("numeric", "decimal"), 1700),
    "uuid": 2950,
    "unknown": 0,
    "boolean[]": 1000,
    **dict.fromkeys(("int[]", "integer[]", "int4[]"), 1007),
    **dict.fromkeys(("text[]", "varchar[]"), 1009),
    **dict.fromkeys(("bigint[]", "int8[]"), 1016),
    **dict.fromkeys(("double precision[]", "float8[]"), 1022),
}
_LITERALS: Final = {"text": 0, "integer": 20, "decimal": 1700, "boolean": 16, "null": 0}
_BIGGEST: Final = 2**63 - 1
_NUMERIC: Final = 1700


@dataclass(slots=True)
class Prepared:
    """A prepared statement.

    Args:
        statement: None = an empty text.
        type_oids: of its parameters, 0 = unknown.
        values: of an EXECUTE, which has its own.
    """

    statement: ast.Statement | None
    type_oids: tuple[int, ...]
    values: Sequence[Parameter] = ()


class PreparedStatements:
    """The prepared statements of one session, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, Prepared] = {}

    def keep(self, name: str, statement: ast.Statement | None, oids: Sequence[int]) -> None:
        """Keep a statement; the empty name is overwritten at will.

        Raises:
            DuplicateStatement: the name is taken.
            FairleadError: an EXECUTE of what is not there.
        """
        if name and name in self._kept:
            message = f'prepared statement "{name}" already exists'
            raise DuplicateStatement(message, hint="DEALLOCATE it first")
        inner, found = self.resolved(statement) if statement is not None else (None, ())
        self._kept[name] = Prepared(inner, tuple(oids), found)

    def find(self, name: str) -> Prepared:
        """Return a statement.

        Raises:
            UndefinedStatement: there is none of the name.
        """
        if name not in self._kept:
            message = f'prepared statement "{name}" does not exist'
            raise UndefinedStatement(message)
        return self._kept[name]

    def forget(self, name: str) -> None:
        """Forget a statement; an unknown one is no error."""
        self._kept.pop(name, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._kept.clear()

    def resolved(self, statement: ast.Statement) -> tuple[ast.Statement, Sequence[Parameter]]:
        """Return what is to run: of an EXECUTE, what it names, with its values.

        Raises:
            UndefinedStatement: it names nothing.
            InvalidParameter: it has more or fewer values than the statement has parameters.
        """
        if not isinstance(statement, ast.Execute):
            return statement, ()
        prepared = self.find(statement.name)
        inner = prepared.statement
        if not isinstance(inner, ast.DataStatement):
            message = "EXECUTE is offered for queries and changes of tables"
            raise NotSupported(message)
        return inner, values(statement, prepared.type_oids, inner.parameters)

    def run(self, statement: ast.Prepare | ast.Discard) -> list[Output]:
        """Run PREPARE or DEALLOCATE; gives nothing for what is neither.

        Raises:
            FairleadError: the name is taken, or unknown; a type does not exist.
        """
        if isinstance(statement, ast.Prepare):
            self.keep(statement.name, statement.statement, type_oids(statement.types))
            return [Complete("PREPARE")]
        if statement.what == "statements":
            self.clear()
        elif statement.what.startswith("statement:"):
            name = statement.what.removeprefix("statement:")
            self.find(name)
            self.forget(name)
        else:
            return []
        return [Complete("DEALLOCATE")]


def type_oids(names: Sequence[str]) -> tuple[int, ...]:
    """Return the ids of types.

    Raises:
        UndefinedObject: a name is none of a type that a parameter may have.
    """
    for name in names:
        if name not in _OIDS:
            message = f'type "{name}" does not exist'
            raise UndefinedObject(message, hint=did_you_mean(name, list(_OIDS)))
    return tuple(_OIDS[name] for name in names)


def values(execute: ast.Execute, oids: Sequence[int], expected: int) -> list[Parameter]:
    """Return the values of EXECUTE as those of parameters.

    Args:
        execute: the statement.
        oids: types of the parameters as PREPARE has them; those that are not there follow the literals.
        expected: how many parameters there are.

    Raises:
        InvalidParameter: there are more or fewer values.
    """
    if len(execute.arguments) != expected:
        message = f'wrong number of parameters for prepared statement "{execute.name}"'
        raise InvalidParameter(message, detail=f"Expected {expected} parameters but got {len(execute.arguments)}.")
    found: list[Parameter] = []
    for number, argument in enumerate(execute.arguments):
        oid = oids[number] if number < len(oids) and oids[number] else _LITERALS[argument.kind]
        if argument.kind == "integer" and oid == _LITERALS["integer"] and abs(int(argument.value or 0)) > _BIGGEST:
            oid = _NUMERIC
        found.append(Parameter(None if argument.value is None else argument.value.encode(), oid, binary=False))
    return found
