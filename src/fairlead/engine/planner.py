"""From a data statement to the text that a worker runs.

The text stays as the user wrote it, but for the spans that name our objects: ``@stage/path`` and
``'s3://...' (CONNECTION => ...)`` become ordinary ``s3://`` paths of the store proxy. Only the bucket may change,
to an alias, and only where the user's own rules would not lead to the same connection. What may be read or written is
decided by the proxy at each request; the checks here give clear errors early.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fairlead.connectors.locations import parse_url
from fairlead.dialects import errors as texts
from fairlead.dialects import names
from fairlead.dialects.formats import FORMATS
from fairlead.egress.door import Alias
from fairlead.engine import session_functions
from fairlead.engine.catalogs.rewriting import Rewriting, rewrite
from fairlead.engine.catalogs.vocabulary import NOTHING, Vocabulary, in_worker
from fairlead.engine.hygiene import refuse_dangerous
from fairlead.engine.naming import Databases, respelled
from fairlead.errors import InvalidParameter, NotSupported, PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from fairlead.access.access import Access
    from fairlead.catalog.catalog import Catalog
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.context import Context
    from fairlead.lang import ast


_MOST_REWRITTEN: Final = 512
_NOTHING: Final[Mapping[tuple[int, int], str]] = MappingProxyType({})
_Place = tuple[str, str, dict[str, str]]  # bucket or alias, key prefix, file format


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker runs.

    Args:
        sql: the text.
        verb: first keyword.
        start: where the statement begins in the script.
        replaced: each replaced span, as (start in ``sql``, its length there, start in the statement, its length there).
        catalogs: what it needs of PostgreSQL's catalogs: id of a database, key of a relation or function.
    """

    sql: str
    verb: str
    start: int = 0
    replaced: tuple[tuple[int, int, int, int], ...] = ()
    catalogs: frozenset[tuple[int, str]] = frozenset()

    def typed_position(self, position: int) -> int:
        """Return where in the script, counted from 1, a position in ``sql``, counted from 1, was typed."""
        shift = 0
        for planned, planned_length, typed, typed_length in self.replaced:
            if position - 1 < planned:
                break
            if position - 1 < planned + planned_length:
                return self.start + typed + 1
            shift = (typed + typed_length) - (planned + planned_length)
        return self.start + position + shift


@dataclass(slots=True)
class AliasBook:
    """The bucket aliases of one session, shared with its door."""

    entries: MutableMapping[str, Alias] = field(default_factory=dict)

    def alias(self, connection_id: int, bucket: str) -> str:
        """Return the alias that leads to a bucket through a connection; the same one each time."""
        for name, entry in self.entries.items():
            if entry == Alias(connection_id, bucket):
                return name
        name = f"{bucket[:40]}-{secrets.token_hex(2)}"
        while name in self.entries:
            name = f"{bucket[:40]}-{secrets.token_hex(2)}"
        self.entries[name] = Alias(connection_id, bucket)
        return name

    def real_urls(self) -> dict[str, str]:
        """Return each alias with its real bucket."""
        return {name: entry.bucket for name, entry in self.entries.items()}


class Planner:
    """Plans data statements against the catalog and the caller's rights.

    Args:
        catalog: knows stages and connections.
        access: knows the caller's rights.
        hygiene: whether names of the engine's own doors are refused.
        vocabulary: what can be named of PostgreSQL's catalogs.
    """

    def __init__(
        self, catalog: Catalog, access: Access, *, hygiene: bool = True, vocabulary: Vocabulary = NOTHING
    ) -> None:
        self._catalog = catalog
        self._access = access
        self._hygiene = hygiene
        self._vocabulary = vocabulary
        self._rewritten: dict[str, Rewriting] = {}
        self._known: tuple[int, Databases] | None = None

    def plan(
        self,
        statement: ast.DataStatement,
        context: Context,
        book: AliasBook,
        instead: Mapping[tuple[int, int], str] = _NOTHING,
    ) -> Plan:
        """Return the statement with every location replaced and names of databases spelled for the engine.

        Args:
            statement: the user's.
            context: who runs it, and where.
            book: aliases of the session's door.
            instead: what stands for some spans of it, whatever they say.

        Raises:
            PermissionDenied, UndefinedObject, InvalidParameter, NotSupported.
        """
        rewriting = self._rewriting(statement) if self.names_catalogs(statement) else None
        ours = rewriting.found if rewriting is not None else frozenset[str]()
        answers = session_functions.answered(statement, context.facts, ours)
        if self._hygiene:
            refuse_dangerous(statement, ours, answers.names)
        spelled = dict(respelled(statement, self._databases(), context.database)) if statement.names else {}
        catalogs = self._catalogs(rewriting, context, spelled) if rewriting is not None else frozenset()
        _spell(spelled, answers.spelled)
        spelled.update(instead)
        if statement.locations:
            stages: dict[tuple[ast.Name, str], _Place] = {}  # a statement may name one stage very often
            with self._catalog.read() as snapshot:
                for location in statement.locations:
                    followed = bool(statement.text[location.span[1] :].strip())
                    replacement = self._location(snapshot, location, context, book, stages, own_options=followed)
                    if replacement is not None:
                        spelled[location.span] = replacement
        return replace(_assembled(statement, sorted(spelled.items())), catalogs=catalogs)

    def names_catalogs(self, statement: ast.DataStatement) -> bool:
        """Tell whether a statement may name PostgreSQL's catalogs."""
        return self._vocabulary.named(statement.identifiers, statement.calls)

    def _rewriting(self, statement: ast.DataStatement) -> Rewriting:
        """Return how a statement is rewritten; clients ask the same again and again."""
        known = self._rewritten.get(statement.text)
        if known is None:
            while len(self._rewritten) >= _MOST_REWRITTEN:
                del self._rewritten[next(iter(self._rewritten))]
            known = self._rewritten[statement.text] = rewrite(statement, self._vocabulary)
        return known

    def _catalogs(
        self, rewriting: Rewriting, context: Context, spelled: dict[tuple[int, int], str]
    ) -> frozenset[tuple[int, str]]:
        """Spell what a statement names of the catalogs, and return it."""
        with self._catalog.read() as snapshot:
            ids = {name: names.database(snapshot, name or context.database).id for name, _ in rewriting.keys}
            ids |= {
                edit.database: names.database(snapshot, edit.database or context.database).id
                for edit in rewriting.edits
            }
        written: dict[tuple[int, int], str] = {}
        for edit in rewriting.edits:
            text = in_worker(edit.text, ids[edit.database])
            written[edit.span] = written.get(edit.span, "") + text
        _spell(spelled, written)
        return frozenset((ids[database], key) for database, key in rewriting.keys)

    def _databases(self) -> Databases:
        """Return what can stand before a dot; read again when the catalog has changed."""
        epoch = self._catalog.epoch
        if self._known is None or self._known[0] != epoch:
            with self._catalog.read() as snapshot:
                names_ = {database.name.casefold(): database.name for database in snapshot.databases()}
                schemas: dict[str, set[str]] = {}
                for schema in snapshot.schemas():
                    schemas.setdefault(schema.database.casefold(), set()).add(schema.name.casefold())
            self._known = epoch, Databases(names_, {name: frozenset(found) for name, found in schemas.items()})
        return self._known[1]

    def _location(
        self,
        snapshot: Snapshot,
        location: ast.LocationRef,
        context: Context,
        book: AliasBook,
        stages: dict[tuple[ast.Name, str], _Place],
        *,
        own_options: bool = False,
    ) -> str | None:
        """Return the text that replaces a location, or None where it stays as it is.

        ``own_options``: something follows it in the statement.
        """
        options = {option.key.upper(): option.value for option in location.options}
        if location.stage is not None:
            right = "WRITE" if location.role == "to" else "READ"
            key = (location.stage, right)
            if key not in stages:
                stages[key] = self._stage(snapshot, location.stage, right, context, book)
            bucket, prefix, stage_format = stages[key]
            _refuse_traversal(location.path)
            if right == "WRITE" and (not location.path or location.path.endswith("/")):
                message = "COPY writes one file, and the place has no file name"
                raise InvalidParameter(message, hint="'@stage/folder/name.parquet'")
            if "CONNECTION" in options:
                message = "uri location should not start with '@'"
                raise InvalidParameter(message, hint="a stage has its connection already")
        else:
            url = location.url or ""
            if location.role in ("argument", "literal"):
                return None
            if not options:
                return None if url.lower().startswith("s3://") else _foreign(url)
            bucket, prefix = parse_url(url, wildcards=True)
            bucket = self._through_connection(snapshot, bucket, options, context, book)
            stage_format = {}
        chosen = _format(options, stage_format)
        urls = _urls(bucket, prefix, location.path if location.stage is not None else "", options, chosen)
        if location.role == "load":
            return _loaded(urls, chosen, own_options=own_options)
        if location.role != "from":
            return _quoted(urls[0])
        return _table(urls, chosen)

    def _stage(self, snapshot: Snapshot, name: ast.Name, right: str, context: Context, book: AliasBook) -> _Place:
        """Return bucket (or alias), key prefix and file format of a stage that the caller may use."""
        stage = names.find(snapshot, "stage", name, context)
        if stage is None or not self._access.can(context.principal, right, "stage", stage.id):
            where = str(names.place(snapshot, name, context))
            if stage is None and context.principal.is_superuser:
                raise texts.missing("stage", where, context.dialect)
            raise texts.denied("stage", where, context.dialect)
        stored = snapshot.definition(stage.id)
        bucket, prefix = parse_url(stored["url"])
        connection_id = stored["connection_id"]
        if not self._leads_to(context, bucket, prefix, connection_id):
            bucket = book.alias(connection_id, bucket)
        return bucket, prefix, stored.get("file_format", {})

    def _leads_to(self, context: Context, bucket: str, prefix: str, connection_id: int) -> bool:
        """Say whether the caller's rules for this place, and all below and above it, name this connection alone."""
        overlapping = {
            rule.connection_id
            for rule in self._access.rules(context.principal)
            if rule.bucket == bucket and (rule.prefix.startswith(prefix) or prefix.startswith(rule.prefix))
        }
        return overlapping == {connection_id}

    def _through_connection(
        self,
        snapshot: Snapshot,
        bucket: str,
        options: Mapping[str, object],
        context: Context,
        book: AliasBook,
    ) -> str:
        """Return the alias for ``'s3://...' (CONNECTION => (CONNECTION_NAME = 'c'))``."""
        given = options.get("CONNECTION")
        if given is None:
            return bucket
        pairs = {option.name: option.value for option in given} if isinstance(given, tuple) else {}
        named = pairs.get("CONNECTION_NAME")
        if named is None or len(pairs) != 1:
            message = "credentials written into a query are not accepted"
            raise NotSupported(message, hint="CONNECTION => (CONNECTION_NAME = 'name'), of a connection you may use")
        name = names.parse(names.plain_text(named))
        connection = names.find(snapshot, "connection", name, context)
        if connection is None or not self._access.can(context.principal, "USAGE", "connection", connection.id):
            where = str(names.place(snapshot, name, context))
            if connection is None and context.principal.is_superuser:
                raise texts.missing("connection", where, context.dialect)
            raise texts.denied("connection", where, context.dialect)
        return book.alias(connection.id, bucket)


def _spell(spelled: dict[tuple[int, int], str], written: Mapping[tuple[int, int], str]) -> None:
    """Add spellings; they take the place of those that they overlap."""
    for span in [span for span in spelled if any(a < span[1] and span[0] < b for a, b in written)]:
        del spelled[span]
    spelled.update(written)


def _assembled(statement: ast.DataStatement, spelled: list[tuple[tuple[int, int], str]]) -> Plan:
    """Return the statement with each span replaced."""
    pieces: list[str] = []
    replaced: list[tuple[int, int, int, int]] = []
    at = length = 0
    for (start, end), replacement in spelled:
        length += start - at
        replaced.append((length, len(replacement), start, end - start))
        length += len(replacement)
        pieces += [statement.text[at:start], replacement]
        at = end
    pieces.append(statement.text[at:])
    return Plan("".join(pieces), statement.verb, statement.span[0], tuple(replaced))


def _refuse_traversal(path: str) -> None:
    if any(part in (".", "..") for part in path.split("/")):
        message = f"stage path traversal is not allowed: {path}"
        raise InvalidParameter(message, hint="a path below the stage has no '.' or '..' parts")


def _foreign(url: str) -> str:
    scheme = url.split(":", 1)[0]
    message = f"{scheme}:// locations cannot be reached from a query"
    raise PermissionDenied(message, hint="a connection and a stage on it lead to a store; SHOW STAGES lists yours")


def _format(options: Mapping[str, object], stage_format: dict[str, str]) -> dict[str, str]:
    given = options.get("FILE_FORMAT")
    if given is None:
        return stage_format
    word = str(given).upper()
    if word not in FORMATS:
        message = f"unknown file format '{given}'"
        raise InvalidParameter(message, hint="one of " + ", ".join(sorted(FORMATS)))
    return {**(stage_format if stage_format.get("TYPE") == word else {}), "TYPE": word}


def _urls(bucket: str, prefix: str, path: str, options: Mapping[str, object], chosen: dict[str, str]) -> list[str]:
    if "PATTERN" in options:
        message = "PATTERN is not offered yet"
        raise NotSupported(message, hint="use a glob in the path: '@stage/2026/*.parquet'")
    root = f"s3://{bucket}/{prefix}{path.lstrip('/')}"
    files = options.get("FILES")
    if isinstance(files, tuple):
        base = root if root.endswith("/") else root + "/"
        named = [str(name) for name in files]
        bad = next((n for n in named if any(part in (".", "..") for part in n.split("/"))), None)
        if bad is not None:
            message = f"stage path traversal is not allowed: {bad}"
            raise InvalidParameter(message)
        return [base + name for name in named]
    if root.endswith("/"):
        kind = FORMATS[chosen.get("TYPE", "PARQUET")]
        return [f"{root}**/*{kind.suffix}"]
    return [root]


def _table(urls: list[str], chosen: dict[str, str]) -> str:
    listed = _quoted(urls[0]) if len(urls) == 1 else "[" + ", ".join(_quoted(url) for url in urls) + "]"
    if not chosen and len(urls) == 1 and not urls[0].endswith("**/*.parquet"):
        _require_ending(urls[0])
        return listed
    kind = FORMATS[chosen.get("TYPE", "PARQUET")]
    return f"system.main.{kind.reader}({listed}{kind.arguments(chosen)})"


def _loaded(urls: list[str], chosen: dict[str, str], *, own_options: bool) -> str:
    """Return the place of a COPY ... FROM, with the options of its format unless the statement has its own."""
    if len(urls) > 1:
        message = "COPY reads one file, or a folder"
        raise NotSupported(message, hint="INSERT INTO table SELECT * FROM @stage (FILES => (...)) reads several")
    if chosen and not own_options:
        return _quoted(urls[0]) + FORMATS[chosen["TYPE"]].copy_options(chosen)
    if not own_options:
        _require_ending(urls[0])
    return _quoted(urls[0])


def _require_ending(url: str) -> None:
    """The engine knows a format by the file's ending; without one it would look for a table of that name."""
    name = url.rpartition("/")[2]
    if "." not in name and not any(c in name for c in "*?["):
        message = f"{url} has no file ending that tells its format"
        raise InvalidParameter(message, hint="a folder ends with '/'; a file of any name takes (FILE_FORMAT => 'csv')")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
