"""The commands with a backslash: a table of what each is for; psql's names where psql has the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.errors import SqlSyntaxError
from fairlead.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Args:
        name: with its backslash.
        argument: what it takes, in the words of the help; empty for nothing.
        help: what it does.
        sql: the statement that it stands for; ``{}`` takes the argument. None where the shell itself does the work.
        bare: the statement without an argument.
    """

    name: str
    argument: str
    help: str
    sql: str | None = None
    bare: str | None = None


COMMANDS: Final = (
    Command("\\d", "[name]", "tables and views, or the columns of one", "DESCRIBE {}", "SHOW TABLES"),
    Command("\\dt", "", "tables", bare="SHOW TABLES"),
    Command("\\dv", "", "views", bare="SHOW VIEWS"),
    Command("\\dn", "", "schemas", bare="SHOW SCHEMAS"),
    Command("\\l", "", "databases", bare="SHOW DATABASES"),
    Command("\\du", "", "users", bare="SHOW USERS"),
    Command("\\dg", "", "roles", bare="SHOW ROLES"),
    Command("\\dp", "[user]", "who may do what", "SHOW GRANTS FOR {}", "SHOW GRANTS"),
    Command("\\des", "[name]", "connections, or one of them", "DESCRIBE CONNECTION {}", "SHOW CONNECTIONS"),
    Command("\\stages", "[name]", "stages, or one of them", "DESCRIBE STAGE {}", "SHOW STAGES"),
    Command("\\ls", "@stage[/path]", "files of a stage", "LIST {}"),
    Command("\\secrets", "", "secrets, without their values", bare="SHOW SECRETS"),
    Command("\\settings", "", "settings of the session", bare="SHOW ALL"),
    Command("\\c", "[database]", "another database", "USE {}"),
    Command("\\conninfo", "", "who is where"),
    Command("\\x", "[on|off|auto]", "a line for each value"),
    Command("\\timing", "[on|off]", "how long statements take"),
    Command("\\limit", "[rows]", "how many rows of a result are shown; 0 = all"),
    Command("\\pager", "[on|off]", "whether long results go through the pager"),
    Command("\\copy", "table|(query) from|to 'file' [options]", "between a table and a file of this machine"),
    Command("\\i", "file", "run the statements of a file"),
    Command("\\password", "[user]", "change a password; only its verifier is sent"),
    Command("\\?", "", "this help"),
    Command("\\q", "", "leave"),
)
_BY_NAME: Final[Mapping[str, Command]] = {command.name: command for command in COMMANDS}
_SYNONYMS: Final = {"\\connect": "\\c", "\\list": "\\l", "\\include": "\\i", "\\quit": "\\q", "\\h": "\\?"}


def understood(line: str) -> tuple[Command, str]:
    """Return the command of a line, and its argument.

    Args:
        line: begins with a backslash.

    Raises:
        SqlSyntaxError: there is no such command, or it wants an argument, or none.
    """
    word, _, rest = line.strip().rstrip(";").partition(" ")
    argument = rest.strip()
    # A detail that psql adds with + is shown anyway.
    command = _BY_NAME.get(_SYNONYMS.get(word.rstrip("+"), word.rstrip("+")))
    if command is None:
        raise SqlSyntaxError(f"{word} is not a command of this shell", hint=did_you_mean(word, _BY_NAME) or "\\? lists")
    if argument and not command.argument:
        raise SqlSyntaxError(f"{command.name} takes no argument")
    if not argument and command.argument and not command.argument.startswith("["):
        raise SqlSyntaxError(f"{command.name} needs an argument", hint=f"{command.name} {command.argument}")
    return command, argument


def statement_of(command: Command, argument: str) -> str | None:
    """Return the statement that a command stands for, None where it stands for none."""
    if argument and command.sql is not None:
        if command.name == "\\d" and argument.startswith("@"):
            return f"DESCRIBE STAGE {argument[1:]}"
        return command.sql.format(argument)
    return command.bare
