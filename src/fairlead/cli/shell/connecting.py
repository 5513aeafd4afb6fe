"""From a connection string to a connection: what is not said is asked for, a password never comes as an argument."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairlead.cli.shell.asking import ask_password
from fairlead.errors import ConfigurationError, FairleadError, InvalidPassword, StoreUnreachable

if TYPE_CHECKING:
    import psycopg

    from fairlead.sensitive import Sensitive

_EXTRA: Final = "pip install 'fairlead[shell]'"
_DEFAULTS: Final = {"host": "127.0.0.1", "port": "7432", "user": "fairlead", "dbname": "main", "sslmode": "require"}
_NONE_GIVEN: Final = "no password supplied"


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
    if _knows_no_password(options):
        return _opened(driver, options, ask_password(f"Password for {options['user']}: "), application)
    try:
        return _opened(driver, options, None, application)
    except InvalidPassword as error:
        if _NONE_GIVEN not in error.message:
            raise
    return _opened(driver, options, ask_password(f"Password for {options['user']}: "), application)


def _opened(
    driver: Any, options: dict[str, str], password: Sensitive | None, application: str
) -> psycopg.Connection[Any]:
    secret = {} if password is None else {"password": password.reveal()}
    try:
        opened: psycopg.Connection[Any] = driver.connect(
            **{"application_name": application, **options, **secret}, autocommit=True
        )
    except driver.OperationalError as error:
        raise told(error) from None
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


def _knows_no_password(options: dict[str, str]) -> bool:
    """Whether to ask at once: no variable and no file can have it. Where one may, libpq finds out."""
    files = (options.get("passfile"), os.environ.get("PGPASSFILE"), str(Path.home() / ".pgpass"))
    return not os.environ.get("PGPASSWORD") and not any(file and Path(file).exists() for file in files)


def told(error: Exception) -> FairleadError:
    """Return what libpq says of a failed login, in our words: one sentence, and what to do."""
    text = str(error).strip().splitlines()
    said = text[0].rpartition("FATAL:")[2].strip() if text else "no connection"
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith("28") or "password" in said:
        return InvalidPassword(said, hint="fairlead user reset-admin gives an administrator a new one")
    return StoreUnreachable(said, hint="is the gateway running, and is this its address? fairlead doctor tells more")
