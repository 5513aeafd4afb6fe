"""From a connection string to a connection: what is not said is asked for, a password never comes as an argument."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairlead.errors import ConfigurationError, FairleadError, InvalidPassword, StoreUnreachable

if TYPE_CHECKING:
    import psycopg

_EXTRA: Final = "pip install 'fairlead[shell]'"
_DEFAULTS: Final = {"host": "127.0.0.1", "port": "7432", "user": "fairlead", "dbname": "main", "sslmode": "require"}
_ASKING: Final = ("fe_sendauth: no password supplied", "no password supplied")


def psycopg_module() -> Any:
    """Return psycopg.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import psycopg  # noqa: PLC0415  # comes with an extra
    except ImportError as error:
        raise missing(error) from None
    return psycopg


def missing(error: ImportError) -> ConfigurationError:
    """Return the error that names the extra with which a library comes."""
    message = f"{(error.name or 'a library').partition('.')[0]} is not installed"
    return ConfigurationError(message, hint=_EXTRA)


def connect(conninfo: str = "", *, application: str = "fairlead shell") -> psycopg.Connection[Any]:
    """Log in, asking for the password where the gateway wants one that neither PGPASSWORD nor a password file gives.

    Args:
        conninfo: a ``postgresql://`` address or ``key=value`` words of libpq; what it leaves out comes from the
            ``PG*`` variables, then from Fairlead's defaults.
        application: what the ledger calls the client.

    Raises:
        ConfigurationError: psycopg is missing, or the connection string holds a password or cannot be read.
        InvalidPassword: the login was refused.
        StoreUnreachable: the gateway cannot be reached.
    """
    driver = psycopg_module()
    options = _options(driver, conninfo)
    prompted = {"password": getpass.getpass(f"Password for {options['user']}: ")} if _asks(options) else {}
    try:
        return _opened(driver, options, prompted, application)
    except driver.OperationalError as error:
        if prompted or not any(words in str(error) for words in _ASKING):
            raise told(error) from None
    prompted = {"password": getpass.getpass(f"Password for {options['user']}: ")}
    try:
        return _opened(driver, options, prompted, application)
    except driver.OperationalError as error:
        raise told(error) from None


def _opened(
    driver: Any, options: dict[str, str], prompted: dict[str, str], application: str
) -> psycopg.Connection[Any]:
    opened: psycopg.Connection[Any] = driver.connect(
        **{"application_name": application, **options, **prompted}, autocommit=True
    )
    return opened


def _options(driver: Any, conninfo: str) -> dict[str, str]:
    try:
        given = dict(driver.conninfo.conninfo_to_dict(conninfo))
    except driver.ProgrammingError as error:
        message = f"the connection string cannot be read: {str(error).partition(chr(10))[0]}"
        hint = "for example postgresql://fairlead@127.0.0.1:7432/main?sslmode=require"
        raise ConfigurationError(message, hint=hint) from None
    if "password" in given:
        message = "the connection string holds a password, and everybody on this machine can read it"
        raise ConfigurationError(message, hint="leave it out: you are asked, or PGPASSWORD or a password file gives it")
    return {**_unset(), **{name: str(value) for name, value in given.items()}}


def _unset() -> dict[str, str]:
    """Return our defaults of what the environment does not say; the environment is libpq's to read."""
    named = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE", "sslmode": "PGSSLMODE"}
    if os.environ.get("PGSERVICE"):
        return {}
    return {name: os.environ.get(named[name]) or value for name, value in _DEFAULTS.items()}


def _asks(options: dict[str, str]) -> bool:
    """Whether to ask at once; not where a variable or a file may know, which libpq finds out."""
    known = os.environ.get("PGPASSWORD") or os.environ.get("PGPASSFILE") or "passfile" in options
    return not known and not (Path.home() / ".pgpass").exists() and sys.stdin.isatty()


def told(error: Exception) -> FairleadError:
    """Return what libpq says of a failed login, in our words: one sentence, and what to do."""
    text = str(error).strip().splitlines()
    said = text[0].rpartition("FATAL:")[2].strip() if text else "no connection"
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith("28") or "password" in said:
        return InvalidPassword(said, hint="fairlead user reset-admin gives an administrator a new one")
    return StoreUnreachable(said, hint="is the gateway running, and is this its address? fairlead doctor tells more")
