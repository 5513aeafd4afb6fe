"""SHOW CREATE: the statement that makes an object, without any secret.

Natively each object is shown in the spelling that it was written in, and the text can be run again: references stay
references, sealed secrets are the keyword STORED. Under a strict dialect it is that system's own text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.connectors.declaration import Masking, OptionSpec, Spelling
from fairlead.dialects import links, masks
from fairlead.dialects.complaints import catalog_order
from fairlead.dialects.qualified import qualified
from fairlead.dialects.stored import FromSecret, Joined, OptionValue, Plain
from fairlead.lang.ast import Name
from fairlead.lang.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.context import Dialect
    from fairlead.dialects.infos import ConnectionInfo, StageInfo

_WIDTH: Final = 100
_BARE_FORMAT_OPTIONS: Final = frozenset({"TYPE", "COMPRESSION", "SKIP_HEADER"})


def show_create(info: ConnectionInfo, dialect: Dialect, *, redacted: bool = False) -> str:
    """Return the text of SHOW CREATE CONNECTION or LINK.

    Args:
        info: the connection.
        dialect: of the session; a strict one decides the spelling.
        redacted: whether inline identities are masked too (SHOW REDACTED CREATE).
    """
    spelling: Spelling = info.definition.spelling if dialect == "native" else dialect
    renderers: dict[Spelling, Callable[[ConnectionInfo, _Values], str]] = {
        "materialize": _materialize,
        "singlestore": _singlestore,
        "databend": _databend,
        "clickzetta": _clickzetta,
    }
    return renderers[spelling](info, _Values(spelling, dialect, redacted=redacted))


def show_create_stage(info: StageInfo) -> str:
    """Return the text of SHOW CREATE STAGE."""
    writer = Writer("native", reveal=True)
    pieces = [
        f"CREATE OR REPLACE STAGE {qualified((info.database, info.schema, info.name), writer)}",
        f"URL = {writer.string(info.url)}",
        f"CONNECTION = (CONNECTION_NAME = {writer.name_in_string(Name(tuple(info.connection.split('.', 2))))})",
    ]
    if info.file_format:
        options = [
            f"{name} = {value if name in _BARE_FORMAT_OPTIONS else writer.string(value)}"
            for name, value in info.file_format.items()
        ]
        pieces.append(f"FILE_FORMAT = ({' '.join(options)})")
    if info.comment:
        pieces.append(f"COMMENT = {writer.string(info.comment)}")
    return " ".join(pieces)


class _Values:
    """Turns option values into SQL text."""

    def __init__(self, spelling: Spelling, dialect: Dialect, *, redacted: bool) -> None:
        self.write = Writer(dialect, reveal=True)
        self.native = dialect == "native"
        self._mask = self.write.string(masks.of_secret(dialect))
        self._spelling = spelling
        self._redacted = redacted

    def options(self, info: ConnectionInfo) -> list[tuple[str, str]]:
        """Return (word, text) of every option that this spelling has, in declared order."""
        listed: list[tuple[str, str]] = []
        for spec in info.connector.options:
            words = spec.words.get(self._spelling)
            value = info.definition.options.get(spec.name)
            if words is not None and words.typed and value is not None:
                listed.append((words.name, self._text(spec, value)))
        return listed

    def _text(self, spec: OptionSpec, value: OptionValue) -> str:
        match value:
            case Plain(text=text):
                return self._plain(spec, text)
            case FromSecret():
                return self._reference(value)
            case Joined(parts=parts) if all(isinstance(part, FromSecret) for part in parts):
                return self._joined(value)
            case Joined() if not self.native or self._redacted:
                return self._joined(value)
            case _:
                return "STORED" if self.native and not self._redacted else self._mask

    def _plain(self, spec: OptionSpec, text: str) -> str:
        if self._redacted and spec.masking is not Masking.PLAIN:
            return self._mask
        if spec.kind == "boolean":
            inverted = spec.words[self._spelling].inverted
            return "TRUE" if (text == "true") is not inverted else "FALSE"
        return self.write.string(text)

    def _joined(self, value: Joined) -> str:
        return " || ".join(self._reference(p) if isinstance(p, FromSecret) else self._mask for p in value.parts)

    def _reference(self, value: FromSecret) -> str:
        return f"SECRET {qualified(value.name.parts, self.write)}"


def _head(values: _Values) -> str:
    return "CREATE OR REPLACE" if values.native else "CREATE"


def _materialize(info: ConnectionInfo, values: _Values) -> str:
    """Return Materialize's text: options in catalog order, broken only where 100 columns do not suffice (9.2)."""
    options = [f"{word} = {text}" for word, text in sorted(values.options(info), key=lambda o: catalog_order(o[0]))]
    name = qualified((info.database, info.schema, info.name), values.write)
    head = f"{_head(values)} CONNECTION {name}"
    kind = info.connector.types.get("materialize", info.connector.kind.upper())
    one_line = f"TO {kind} ({', '.join(options)});"
    if len(head) + 1 + len(one_line) <= _WIDTH:
        return f"{head} {one_line}"
    if len(one_line) <= _WIDTH:
        return f"{head}\n{one_line}"
    inside = ", ".join(options)
    if len(inside) + 4 > _WIDTH:
        inside = ",\n    ".join(options)
    return f"{head}\nTO {kind} (\n    {inside}\n);"


def _singlestore(info: ConnectionInfo, values: _Values) -> str:
    connector = info.connector
    kind = connector.shown_types.get("singlestore", connector.kind.upper())
    if not values.native:
        config = _double_quoted(links.config_statement(info.definition, connector) or "{}")
        return f"CREATE LINK {_backticked(info.name)} AS {kind} CONFIG {config} CREDENTIALS <CREDENTIALS REDACTED>"
    pieces = [f"CREATE OR REPLACE LINK {_backticked(info.database)}.{_backticked(info.name)} AS {kind}"]
    credentials = links.credentials_statement(info.definition, connector)
    if credentials is not None:
        pieces.append("CREDENTIALS " + (values.write.string(credentials) if credentials else "STORED"))
    config = links.config_statement(info.definition, connector)
    if config:
        pieces.append(f"CONFIG {values.write.string(config)}")
    if info.comment:
        pieces.append(f"DESCRIPTION {values.write.string(info.comment)}")
    return " ".join(pieces)


def _databend(info: ConnectionInfo, values: _Values) -> str:
    parts = (info.database, info.schema, info.name) if values.native else (info.name,)
    kind = info.connector.shown_types.get("databend", info.connector.kind)
    name = qualified(parts, values.write)
    pieces = [f"{_head(values)} CONNECTION {name} STORAGE_TYPE = {values.write.string(kind)}"]
    pieces += [f"{word.upper()} = {text}" for word, text in values.options(info)]
    return " ".join(pieces)


def _clickzetta(info: ConnectionInfo, values: _Values) -> str:
    parts = (info.database, info.name) if values.native else (info.name,)
    kind = info.connector.shown_types.get("clickzetta", info.connector.kind.upper())
    name = qualified(parts, values.write)
    pieces = [f"{_head(values)} {info.category} CONNECTION {name} TYPE {kind}"]
    pieces += [f"{word} = {text}" for word, text in values.options(info)]
    if info.comment:
        pieces.append(f"COMMENT {values.write.string(info.comment)}")
    return " ".join(pieces)


def _backticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _double_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n")
    return f'"{escaped}"'
