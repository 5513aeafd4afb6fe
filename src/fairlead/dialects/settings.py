"""The settings of a session: which there are, what they may be, and what a client is told of their changes.

Names ignore case. A setting that cannot be honoured is refused instead of stored without effect; the few exceptions
have one allowed value, which is what holds anyway.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from fairlead import __version__
from fairlead.context import DEFAULT_SCHEMA
from fairlead.errors import InvalidParameter, UndefinedObject
from fairlead.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fairlead.context import Dialect

_DIALECTS: Final = ("native", "materialize", "singlestore", "databend", "clickzetta")
SERVER_VERSION: Final = f"16.0 (Fairlead {__version__})"
_SNAPSHOT: Final = "repeatable read"
_RIGHTS: Final = "enable_experimental_connection_rbac_check"
_RIGHTS_NOTICE: Final = "connection privileges are always enforced; the setting has no effect"
_DURATION: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(us|ms|s|min|h|d)?\s*")
_MILLISECONDS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}
_LONGEST_TIMEOUT: Final = 2_147_483_647
_LONGEST_NAME: Final = 63
_LEVELS: Final = (
    *("debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "info", "notice", "warning", "error"),
)
_ISOLATIONS: Final = ("read uncommitted", "read committed", "repeatable read", "serializable")
_NOT_SERIALIZABLE: Final = "transactions are isolated by snapshot; SERIALIZABLE cannot be promised"
_ON: Final = frozenset({"on", "true", "yes", "1"})
_OFF: Final = frozenset({"off", "false", "no", "0"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Args:
        name: as it is shown.
        default: canonical text.
        check: returns the canonical text of a value; raises ValueError with what is expected.
        help: one sentence.
        reported: whether clients are told of changes (PostgreSQL's ParameterStatus).
        notice: what is said when the value would have to be another one.
    """

    name: str
    default: str
    check: Callable[[str], str]
    help: str
    reported: bool = False
    notice: str | None = None


def _boolean(value: str) -> str:
    folded = value.lower()
    if folded not in _ON | _OFF:
        message = "expected on or off"
        raise ValueError(message)
    return "on" if folded in _ON else "off"


def _auto_or_boolean(value: str) -> str:
    return "auto" if value.lower() == "auto" else _boolean(value)


def _one_of(*allowed: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        for word in allowed:
            if word.casefold() == value.casefold():
                return word
        message = "expected " + (allowed[0] if len(allowed) == 1 else "one of " + ", ".join(allowed))
        raise ValueError(message)

    return check


def _timeout(value: str) -> str:
    found = _DURATION.fullmatch(value)
    milliseconds = float(found[1]) * _MILLISECONDS[found[2] or "ms"] if found else -1.0
    if not 0 <= milliseconds <= _LONGEST_TIMEOUT:
        message = "expected milliseconds, or a number with us, ms, s, min, h or d"
        raise ValueError(message)
    return str(round(milliseconds))


def _time_zone(value: str) -> str:
    folded = value.casefold()
    if folded in ("utc", "local", "default", "gmt", "z"):
        return "UTC"
    for name in zoneinfo.available_timezones():
        if name.casefold() == folded:
            return name
    message = "expected the name of a time zone, such as Europe/Berlin"
    raise ValueError(message)


def _encoding(value: str) -> str:
    if re.sub(r"[^a-z0-9]", "", value.lower()) not in ("utf8", "unicode"):
        message = "only UTF8 is spoken"
        raise ValueError(message)
    return "UTF8"


def _date_style(value: str) -> str:
    if not {part.strip().lower() for part in value.split(",")} <= {"iso", "mdy"}:
        message = "only ISO, MDY is written"
        raise ValueError(message)
    return "ISO, MDY"


def _name(value: str) -> str:
    """Return a name for logs: printable ASCII, 63 characters, as PostgreSQL cuts it."""
    return "".join(c if " " <= c <= "~" else "?" for c in value)[:_LONGEST_NAME]


def _digits(value: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,2}", value) or not -15 <= int(value) <= 3:  # noqa: PLR2004
        message = "expected a number from -15 to 3"
        raise ValueError(message)
    return str(int(value))


def _search_path(value: str) -> str:
    parts = [part.strip().strip('"') for part in value.split(",")]
    if len(parts) > 1 and not all(parts):
        message = "expected names of schemas with commas between"
        raise ValueError(message)
    return ", ".join(parts)


def _fixed(value: str) -> str:
    """Refuse to change what is only told."""
    del value
    message = "it cannot be changed"
    raise ValueError(message)


def _isolation(value: str) -> str:
    """Take every level that a snapshot keeps; what it gives is REPEATABLE READ."""
    level = " ".join(value.lower().split())
    if level not in _ISOLATIONS:
        message = "expected one of " + ", ".join(_ISOLATIONS)
        raise ValueError(message)
    if level == _ISOLATIONS[-1]:
        raise ValueError(_NOT_SERIALIZABLE)
    return _SNAPSHOT


def _enforced(value: str) -> str:
    _boolean(value)
    return "1"


_SETTINGS: Final = (
    Setting("application_name", "", _name, "Name of the client, for the ledger.", reported=True),
    Setting("bytea_output", "hex", _one_of("hex"), "How binary values are written."),
    Setting("client_encoding", "UTF8", _encoding, "Encoding of all text.", reported=True),
    Setting("client_min_messages", "notice", _one_of(*_LEVELS), "The least severe messages that a client is sent."),
    Setting("DateStyle", "ISO, MDY", _date_style, "How dates are written.", reported=True),
    Setting(
        "default_transaction_isolation",
        _SNAPSHOT,
        _isolation,
        "Every transaction is isolated by snapshot, whatever is set.",
    ),
    Setting(
        "default_transaction_read_only",
        "off",
        _boolean,
        "Whether transactions may only read unless they say otherwise.",
        reported=True,
    ),
    Setting("dialect", "native", _one_of(*_DIALECTS), "Whose SQL and whose output: native, or strictly one system's."),
    Setting(_RIGHTS, "1", _enforced, "Always 1: rights are enforced.", notice=_RIGHTS_NOTICE),
    Setting("extra_float_digits", "1", _digits, "Floats are always written exactly."),
    Setting(
        "idle_in_transaction_session_timeout",
        "0",
        _timeout,
        "Milliseconds that an open transaction may wait for its client, whose session then ends; 0 = for ever.",
    ),
    Setting(
        "idle_session_timeout",
        "0",
        _timeout,
        "Milliseconds that a session may wait for its client outside of a transaction; 0 = for ever.",
    ),
    Setting("integer_datetimes", "on", _one_of("on"), "Times are exact to the microsecond."),
    Setting("IntervalStyle", "postgres", _one_of("postgres"), "How intervals are written.", reported=True),
    Setting("lock_timeout", "0", _timeout, "Milliseconds to wait for a lock; no statement of a session waits for one."),
    Setting("max_identifier_length", "255", _fixed, "Bytes that a name may have."),
    Setting("password_encryption", "scram-sha-256", _one_of("scram-sha-256"), "How passwords are kept."),
    Setting("row_security", "on", _one_of("on"), "Narrowed grants always hold."),
    Setting("search_path", DEFAULT_SCHEMA, _search_path, "Schemas in which unqualified names are looked for."),
    Setting("server_encoding", "UTF8", _fixed, "Encoding of all text."),
    Setting("server_version", SERVER_VERSION, _fixed, "Of PostgreSQL, whose protocol is spoken, and of Fairlead."),
    Setting("server_version_num", "160000", _fixed, "Of PostgreSQL, whose protocol is spoken."),
    Setting("standard_conforming_strings", "on", _one_of("on"), "Backslashes are ordinary in '...'.", reported=True),
    Setting("statement_timeout", "0", _timeout, "Milliseconds after which a statement is cancelled; 0 = never."),
    Setting("TimeZone", "UTC", _time_zone, "Time zone in which instants are written.", reported=True),
    Setting("transaction_isolation", _SNAPSHOT, _isolation, "Every transaction is isolated by snapshot."),
    Setting("transaction_read_only", "off", _boolean, "Whether the current transaction may only read."),
    Setting(
        "validate_connections",
        "auto",
        _auto_or_boolean,
        "Whether CREATE and ALTER CONNECTION try the target; auto = as the type of the connection says.",
    ),
)
_SYNONYMS: Final = {
    "enable_experimental_connection_privilege_check": _RIGHTS,
    "time_zone": "timezone",
    "schema": "search_path",
}
_BY_NAME: Final = {setting.name.casefold(): setting for setting in _SETTINGS}


class SessionSettings:
    """The settings of one session.

    Args:
        application_name: of the client, where it told one when it connected.
    """

    def __init__(self, *, application_name: str = "") -> None:
        self._values = {setting.name: setting.default for setting in _SETTINGS}
        self._values["application_name"] = _name(application_name)
        self._changed: dict[str, str] = {}
        self._before: dict[str, str] = {}
        self._local: set[str] = set()

    def begin(self) -> None:
        """Begin a transaction block: what is set from now on can be undone."""
        self._before = dict(self._values)
        self._local = set()

    def end(self, *, commit: bool) -> None:
        """End the block: ROLLBACK undoes every SET since its beginning, COMMIT those that were LOCAL."""
        for name in self._local if commit else self._before:
            self._store(_BY_NAME[name.casefold()], self._before[name])
        self._before, self._local = {}, set()

    @property
    def dialect(self) -> Dialect:
        """Whose SQL is spoken."""
        return cast("Dialect", self._values["dialect"])

    @property
    def application_name(self) -> str:
        """Name of the client."""
        return self._values["application_name"]

    @property
    def statement_timeout(self) -> float:
        """Seconds; 0 = none."""
        return int(self._values["statement_timeout"]) / 1000

    @property
    def time_zone(self) -> str:
        """IANA name."""
        return self._values["TimeZone"]

    @property
    def idle_timeout(self) -> float:
        """Seconds that the session may wait for its client outside of a transaction; 0 = for ever."""
        return int(self._values["idle_session_timeout"]) / 1000

    @property
    def idle_in_transaction_timeout(self) -> float:
        """Seconds that an open transaction may wait for its client; 0 = for ever."""
        return int(self._values["idle_in_transaction_session_timeout"]) / 1000

    @property
    def search_path(self) -> tuple[str, ...]:
        """Names of schemas, as typed."""
        return tuple(part for part in self._values["search_path"].split(", ") if part)

    def wants(self, severity: str) -> bool:
        """Say whether the client is to be sent messages of a severity (NOTICE, WARNING, INFO)."""
        level = self._values["client_min_messages"]
        return severity == "INFO" or _LEVELS.index(severity.lower()) >= _LEVELS.index(level)

    def current(self, name: str) -> str:
        """Return the value of a setting.

        Raises:
            UndefinedObject: there is no such setting.
        """
        return self._values[_setting(name).name]

    @property
    def validate_connections(self) -> bool | None:
        """Whether CREATE and ALTER CONNECTION try the target; None = as the type says."""
        return {"on": True, "off": False}.get(self._values["validate_connections"])

    def set(self, name: str, value: str | None, *, local: bool = False) -> str | None:
        """Set a setting; None sets its default. ``local`` means until the end of the transaction block.

        Returns:
            A warning, where the value has no effect.

        Raises:
            UndefinedObject: there is no such setting.
            InvalidParameter: a value that it cannot have.
        """
        setting = _setting(name)
        if local and not self._before:
            return "SET LOCAL can only be used in transaction blocks"
        (self._local.add if local else self._local.discard)(setting.name)
        if value is None:
            self._store(setting, setting.default)
            return None
        try:
            canonical = setting.check(value)
        except ValueError as error:
            message = f'invalid value for parameter "{setting.name}"'
            raise InvalidParameter(message, hint=str(error)) from None
        self._store(setting, canonical)
        return setting.notice if setting.notice is not None and value.lower() in _OFF else None

    def reset(self, name: str | None) -> str | None:
        """Set a setting, or all of them where the name is None, to the default. Raises as ``set``; warns of nothing."""
        for setting in _SETTINGS if name is None else (_setting(name),):
            self._store(setting, setting.default)
        return None

    def show(self, name: str | None) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
        """Return columns and rows of SHOW name, or of SHOW ALL where the name is None.

        Raises:
            UndefinedObject: there is no such setting.
        """
        if name is None:
            return ("name", "setting", "description"), [(s.name, self._values[s.name], s.help) for s in _SETTINGS]
        setting = _setting(name)
        label = name.casefold() if name.casefold() in _SYNONYMS else setting.name
        return (label,), [(self._values[setting.name],)]

    def values(self) -> dict[str, str]:
        """Return all values, to go back to."""
        return dict(self._values)

    def back_to(self, values: Mapping[str, str]) -> None:
        """Set what :meth:`values` has given."""
        for name, value in values.items():
            self._store(_BY_NAME[name.casefold()], value)

    def described(self) -> list[tuple[str, str, str, str]]:
        """Return name, value, default and meaning of every setting."""
        return [(s.name, self._values[s.name], s.default, s.help) for s in _SETTINGS]

    def take_reports(self) -> dict[str, str]:
        """Return the reported settings that changed since the last call."""
        changed, self._changed = self._changed, {}
        return changed

    def _store(self, setting: Setting, value: str) -> None:
        if setting.reported and self._values[setting.name] != value:
            self._changed[setting.name] = value
        self._values[setting.name] = value


def _setting(name: str) -> Setting:
    folded = _SYNONYMS.get(name.casefold(), name.casefold())
    if folded not in _BY_NAME:
        message = f'unrecognized configuration parameter "{name}"'
        known = [setting.name for setting in _SETTINGS]
        raise UndefinedObject(message, hint=did_you_mean(name, known) or "SHOW ALL lists the settings")
    return _BY_NAME[folded]
