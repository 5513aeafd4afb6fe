"""What a session has set: its settings, its database, and the schemas in which it looks for names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.commands.outputs import text_columns
from fairlead.context import DEFAULT_SCHEMA
from fairlead.dialects import names
from fairlead.dialects.settings import SessionSettings
from fairlead.errors import FairleadError, UndefinedObject
from fairlead.lang import ast
from fairlead.session_types import Complete, Notice, Output, ResultColumns, ResultValues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.commands.house import House
    from fairlead.engine.api import Column, Parameter

TEXT_OID: Final = 25
_NO_SCHEMAS: Final = frozenset({"$user", "pg_catalog"})  # may be named in a search path, and mean nothing here

SettingStatement = ast.SetVariable | ast.ResetVariable | ast.ShowVariable | ast.SetConfig | ast.Use


class Values:
    """The values of one session.

    Args:
        house: the gateway's rooms.
        database: current database at the start.
        application: ``application_name`` of the client.
    """

    def __init__(self, house: House, database: str, application: str) -> None:
        self.settings = SessionSettings(application_name=application)
        self.database = database
        self._house = house
        self._path: tuple[str, ...] = (DEFAULT_SCHEMA,)
        self._path_of: tuple[object, ...] = ()

    @property
    def search_path(self) -> tuple[str, ...]:
        """The schemas of the search path that there are; where there is none, the first one that is named."""
        wanted, epoch = self.settings.search_path, self._house.catalog.epoch
        if (wanted, self.database, epoch) != self._path_of:
            with self._house.catalog.read() as snapshot:
                found = [snapshot.schema(self.database, name) for name in wanted]
            there = tuple(schema.name for schema in found if schema is not None)
            self._path = there or tuple(name for name in wanted if name not in _NO_SCHEMAS)[:1] or (DEFAULT_SCHEMA,)
            self._path_of = wanted, self.database, epoch
        return self._path

    def run(self, statement: SettingStatement, parameters: Sequence[Parameter]) -> list[Output]:
        """Run a statement that sets or shows a value.

        Raises:
            FairleadError: there is no such setting, database or schema, or it cannot have the value.
        """
        match statement:
            case ast.ShowVariable(name=name):
                columns, rows = self.settings.show(name)
                return [ResultColumns(text_columns(columns)), ResultValues(rows), Complete("SHOW")]
            case ast.SetVariable(name=name, value=value, scope=scope):
                return _told(self._set(name, value, local=scope == "local"), "SET")
            case ast.ResetVariable(name=name):
                return _told(self.settings.reset(name), "RESET")
            case ast.SetConfig():
                return self._set_config(statement, parameters)
            case ast.Use():
                self._use(statement)
        return [Complete("USE")]

    def columns(self, statement: SettingStatement) -> tuple[Column, ...] | None:
        """Return the columns that a statement gives, None where it gives none."""
        match statement:
            case ast.ShowVariable(name=name):
                return text_columns(self.settings.show(name)[0])
            case ast.SetConfig(calls=calls):
                return text_columns([call.label for call in calls])
        return None

    def _set_config(self, statement: ast.SetConfig, parameters: Sequence[Parameter]) -> list[Output]:
        """Run set_config: a SET whose answer is a row."""
        for call in statement.calls:
            value = call.value
            if isinstance(value, int):
                if value > len(parameters):
                    message = f"there is no parameter ${value}"
                    raise UndefinedObject(message)
                raw = parameters[value - 1].value
                value = None if raw is None else raw.decode()
            self._set(call.name, value, local=call.local)
        row = tuple(self.settings.current(call.name) for call in statement.calls)
        columns = text_columns([call.label for call in statement.calls])
        return [ResultColumns(columns), ResultValues([row]), Complete("SELECT 1")]

    def _set(self, name: str, value: str | None, *, local: bool) -> str | None:
        """Set a setting; a search path without a schema that there is would not say where to look."""
        before = self.settings.current("search_path")
        notice = self.settings.set(name, value, local=local)
        if self.settings.current("search_path") == before:
            return notice
        try:
            with self._house.catalog.read() as snapshot:
                names.schema(snapshot, self.database, self.search_path[0])
        except FairleadError:
            self.settings.set("search_path", before)
            raise
        return notice

    def _use(self, statement: ast.Use) -> None:
        """Change the database, or with it the schema; one name is a database's before it is a schema's."""
        with self._house.catalog.read() as snapshot:
            inside = snapshot.schema(self.database, statement.database)
            if statement.schema is None and inside is not None and snapshot.database(statement.database) is None:
                schema = inside.name
            else:
                database = names.database(snapshot, statement.database).name
                schema = names.schema(snapshot, database, statement.schema or DEFAULT_SCHEMA).name
                self.database = database
        self.settings.set("search_path", schema)


def parameters_of(statement: ast.SetConfig) -> tuple[int, ...]:
    """Return the types of the parameters of set_config."""
    return (TEXT_OID,) * max((call.value for call in statement.calls if isinstance(call.value, int)), default=0)


def _told(notice: str | None, tag: str) -> list[Output]:
    return [*([Notice("WARNING", notice)] if notice else []), Complete(tag)]
