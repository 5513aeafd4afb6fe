"""From a statement that names PostgreSQL's catalogs to the edits that make the engine understand it.

One walk over the tokens; the text between the edits stays as it is. Only what is known here is touched, and a relation
of the catalogs that is not known is refused, so that the engine's own ones are never met by these names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.engine.catalogs.operands import Operands
from fairlead.engine.catalogs.vocabulary import PG_CATALOG, REG_TYPES, function_key, relation_key
from fairlead.errors import NotSupported, PermissionDenied, UndefinedTable
from fairlead.lang.lexer import DATA, tokenize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.engine.catalogs.vocabulary import Vocabulary
    from fairlead.lang import ast
    from fairlead.lang.lexer import Token

_NAMES: Final = frozenset({"word", "quoted"})
# What may follow a relation's name and is not its alias.
_NO_ALIAS: Final = frozenset(
    (
        *("WHERE", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "ON", "USING", "GROUP", "ORDER"),
        *("LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "HAVING", "WINDOW", "FETCH", "FOR", "TABLESAMPLE"),
        *("QUALIFY", "ASOF", "POSITIONAL", "ANTI", "SEMI", "RETURNING", "SET", "VALUES", "SELECT", "WHEN", "TO", "AT"),
    )
)
_TAKES_NO_ALIAS: Final = frozenset({"DESCRIBE", "DESC", "SUMMARIZE", "TABLE", "COPY"})
_CHANGING: Final = frozenset({"INTO", "UPDATE", "TRUNCATE", "EXISTS", "VIEW", "SCHEMA"})
_CHANGES: Final = frozenset({"CREATE", "ALTER", "DROP", "COMMENT", "TRUNCATE"})
# Where a column of a result may end.
_ITEM_ENDS: Final = frozenset(
    {"FROM", "UNION", "EXCEPT", "INTERSECT", "WHERE", "ORDER", "LIMIT", "GROUP", "HAVING", "INTO"}
)
_COMPARING: Final = frozenset({"=", "<>", "!=", "<", ">", "<=", ">="})
# Functions are told by their names in the catalogs here.
_BY_NAME: Final = frozenset({"regproc", "regprocedure"})
_IDS: Final = frozenset({"oid", "int", "int4", "int8", "integer", "bigint"})
_TEXTS: Final = frozenset({"text", "varchar", "name"})
# Types that the engine does not know by these names.
_TYPES: Final[Mapping[str, str]] = {
    "name": "VARCHAR",
    "char": "VARCHAR",
    "bpchar": "VARCHAR",
    "oid": "BIGINT",
    "xid": "BIGINT",
    "cid": "BIGINT",
    "int2vector": "SMALLINT[]",
    "oidvector": "BIGINT[]",
    "aclitem": "VARCHAR",
    "pg_node_tree": "VARCHAR",
    "citext": "VARCHAR",
    "jsonb": "JSON",
    "cardinal_number": "INTEGER",
    "character_data": "VARCHAR",
    "sql_identifier": "VARCHAR",
    "yes_or_no": "VARCHAR",
    "time_stamp": "TIMESTAMPTZ",
}
# Functions that the engine has by another name.
_RENAMED: Final[Mapping[str, str]] = {
    "json_build_object": "system.main.json_object",
    "jsonb_build_object": "system.main.json_object",
    "json_build_array": "system.main.json_array",
    "json_agg": "system.main.json_group_array",
    "json_object_agg": "system.main.json_group_object",
}
# Functions that give rows of one column.
_SETS: Final = frozenset({"generate_series", "generate_subscripts", "unnest", "regexp_split_to_table"})


@dataclass(frozen=True, slots=True)
class Edit:
    """A span of a statement and what takes its place.

    Args:
        span: in the statement's text; an empty one is an insertion.
        text: ``{key}`` stands for the worker's name of the relation or function with that key.
        database: whose catalogs are meant, None = those of the current one.
    """

    span: tuple[int, int]
    text: str
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What a statement names of the catalogs.

    Args:
        edits: in order, without overlaps.
        keys: of what it needs in the worker, with the database, None = the current one.
        found: the case-folded identifiers that stand for something of ours, wherever they stand.
    """

    edits: tuple[Edit, ...]
    keys: frozenset[tuple[str | None, str]]
    found: frozenset[str]


def rewrite(statement: ast.DataStatement, vocabulary: Vocabulary) -> Rewriting:
    """Return the edits for a statement.

    Args:
        statement: one for which ``vocabulary.named`` is true.
        vocabulary: what can be named.

    Raises:
        UndefinedTable: it names a relation of a catalog that there is not.
        PermissionDenied: it changes one.
    """
    walk = _Walk(statement, vocabulary)
    walk.run()
    if walk.keys and walk.keeps:
        message = "a temporary view or macro over the catalogs is not offered"
        raise NotSupported(message, hint="CREATE VIEW keeps the text, and it shows what its owner may see")
    edits = sorted(walk.edits, key=lambda edit: edit.span)
    return Rewriting(tuple(edits), frozenset(walk.keys), frozenset(walk.found - walk.left))


@dataclass(slots=True)
class _Frame:
    """What is open: where, whether it is a CAST, and whether the columns of a result are being listed."""

    opened: int = -1
    cast: bool = False
    listing: bool = False


@dataclass(slots=True)
class _Walk:
    statement: ast.DataStatement
    vocabulary: Vocabulary
    edits: list[Edit] = field(default_factory=list)
    keys: set[tuple[str | None, str]] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    at: int = 0
    tokens: list[Token] = field(default_factory=list)
    view: Operands = field(init=False)
    frames: list[_Frame] = field(default_factory=lambda: [_Frame()])
    relations: frozenset[int] = frozenset()
    common: frozenset[str] = frozenset()

    def run(self) -> None:
        """Walk to the end."""
        self.tokens, _ = tokenize(self.statement.text, DATA)
        self.view = Operands(self.tokens)
        self.relations = frozenset(name.span[0] for name in self.statement.names if name.relation)
        self.common = self._common()
        while self.tokens[self.at].kind != "eof":
            token = self.tokens[self.at]
            if token.kind in _NAMES:
                self._name()
            elif token.kind == "op":
                self._operator(token.text)
            self.at += 1

    @property
    def keeps(self) -> bool:
        """Whether the statement's text is kept under a name."""
        made = {token.upper for token in self.tokens[:5] if token.kind == "word"}
        return self.statement.verb == "CREATE" and not made.isdisjoint({"VIEW", "MACRO", "FUNCTION"})

    def _common(self) -> frozenset[str]:
        """Return the names of common table expressions: they hide relations of the catalogs."""
        view, found = self.view, set()
        for at, token in enumerate(self.tokens):
            if view.word(at) == "AS" and token.kind == "word":
                after = at + 1
                while view.word(after) in {"NOT", "MATERIALIZED"}:
                    after += 1
                before = view.partner.get(at - 1, at) - 1 if view.op(at - 1, ")") else at - 1
                if view.op(after, "(") and before >= 0 and self.tokens[before].kind in _NAMES:
                    found.add(self.tokens[before].text.casefold())
        return frozenset(found)

    # --- names -------------------------------------------------------------------------------------------------------

    def _name(self) -> None:
        first, view = self.at, self.view
        last = view.chain_end(first)
        parts = [self.tokens[at].text.casefold() for at in range(first, last + 1, 2)]
        self._list_state(view.word(first) if len(parts) == 1 else "")
        self.at = last
        if view.op(first - 1, "::") or self._cast_type(first, last):
            if view.op(first - 1, "::"):
                self._array_literal(first)
            self._type(first, last, parts)
            return
        if parts[-1] == "tableoid" and len(parts) > 1:
            self._edit(first, last, "0::BIGINT")  # which catalog a row is from: of no use without pg_depend
            return
        schema_at = next((at for at in (0, 1) if parts[at : at + 1] and parts[at] in self.vocabulary.relations), None)
        called = view.op(last + 1, "(")
        if schema_at is not None and len(parts) > schema_at + 1:
            self._qualified(first, last, parts, schema_at, called=called)
        elif len(parts) == 1:
            if called and parts[0] in _SETS and (closed := view.partner.get(last + 1)) is not None:
                self._name_column(closed)
            self._unqualified(first, parts[0], called=called)
        else:
            self.left.update(parts)

    def _list_state(self, word: str) -> None:
        if word == "SELECT":
            self.frames[-1].listing = True
        elif word in _ITEM_ENDS:
            self.frames[-1].listing = False

    def _qualified(self, first: int, last: int, parts: list[str], schema_at: int, *, called: bool) -> None:
        schema, name = parts[schema_at], parts[schema_at + 1]
        database = self.tokens[first].text if schema_at else None
        name_at = first + 2 * (schema_at + 1)
        if called and len(parts) == schema_at + 2:
            self._call(first, last, name)
        elif self.tokens[first].start not in self.relations:
            if name in self.vocabulary.relations[schema]:
                self.found.update(parts[: schema_at + 2])
                self._edit(first, name_at - 1, "")
        elif name in self.vocabulary.relations[schema] and len(parts) == schema_at + 2:
            self.found.update(parts)
            self._relation(first, last, relation_key(schema, name), database)
        else:
            written = ".".join(parts)
            raise UndefinedTable(
                f'relation "{written}" does not exist', position=self._position(first), hint="SHOW TABLES lists tables"
            )

    def _unqualified(self, at: int, name: str, *, called: bool) -> None:
        token = self.tokens[at]
        if called and (name in self.vocabulary.functions or name in _RENAMED):
            self._call(at, at, name)
        elif token.kind == "word" and name == "collate":
            self._collate(at)
        elif token.kind == "word" and name == "operator" and called:
            self._spelled_operator(at)
        elif (
            token.start in self.relations
            and name in self.vocabulary.relations.get(PG_CATALOG, ())
            and name not in self.common
        ):
            self.found.add(name)
            self._relation(at, at, name, None)
        else:
            self.left.add(name)

    def _relation(self, first: int, last: int, key: str, database: str | None) -> None:
        before = self.view.word(first - 1)
        changed = before in _CHANGING or (self.statement.verb in _CHANGES and not self.keeps)
        target = min(self.relations) == self.tokens[first].start
        if (changed or self.statement.verb in {"DELETE", "MERGE", "UPDATE"}) and target:
            message = f"permission denied: {self.tokens[last].text} is a system catalog"
            raise PermissionDenied(message, position=self._position(first))
        after = self.tokens[last + 1]
        aliased = after.kind == "quoted" or (after.kind == "word" and after.upper not in _NO_ALIAS)
        alias = "" if aliased or before in _TAKES_NO_ALIAS else f' AS "{self.tokens[last].text}"'
        self.keys.add((database, key))
        self._edit(first, last, f"{{{key}}}{alias}", database)

    # --- functions ---------------------------------------------------------------------------------------------------

    def _call(self, first: int, last: int, name: str) -> None:
        opened = last + 1
        closed = self.view.partner.get(opened)
        if name in _SETS and closed is not None and last > first:
            self._name_column(closed)
        if name == "generate_subscripts" and closed is not None:
            self.found.add(name)
            self.keys.add((None, function_key(name)))
            self._edit(first, last, f"unnest({{{function_key(name)}}}")
            self._insert(self.tokens[closed].end, ")")
        elif name in self.vocabulary.functions and closed is not None:
            self.found.add(name)
            key = function_key(name)
            self._replace_item(first, closed, f"{{{key}}}", key, name, edited=last)
        else:
            if name in _RENAMED:
                self._edit(first, last, _RENAMED[name])
            elif last > first:
                self._edit(first, last - 1, "")
            self.left.add(name)

    def _name_column(self, closed: int) -> None:
        """Let the alias of a function in FROM name its column too, as PostgreSQL has it."""
        at = closed + 2 if self.view.word(closed + 1) == "AS" else closed + 1
        alias = self.tokens[at]
        is_name = alias.kind == "quoted" or (alias.kind == "word" and alias.upper not in _NO_ALIAS | {"WITH", "AS"})
        if is_name and not self.frames[-1].listing and not self.view.op(at + 1, "("):
            self._insert(alias.end, f'("{alias.text}")')

    def _replace_item(
        self, first: int, last: int, text: str, key: str, name: str, *, edited: int | None = None
    ) -> None:
        """Replace a call, and give it its own name where it is a column of the result without one."""
        self.keys.add((None, key))
        self._edit(first, last if edited is None else edited, text)
        view, after = self.view, self.tokens[last + 1]
        begins = view.word(first - 1) in {"SELECT", "DISTINCT", "ALL"} or view.op(first - 1, ",")
        ends = after.kind == "eof" or after.text in {",", ")"} or (after.kind == "word" and after.upper in _ITEM_ENDS)
        if self.frames[-1].listing and begins and ends:
            self._insert(self.tokens[last].end, f' AS "{name}"')

    # --- types -------------------------------------------------------------------------------------------------------

    def _cast_type(self, first: int, last: int) -> bool:
        """Tell whether a name is the type of CAST(x AS type)."""
        ends = self.view.op(last + 1, ")") or self.view.op(last + 1, "[") or self.view.op(last + 1, "(")
        return self.frames[-1].cast and self.view.word(first - 1) == "AS" and ends

    def _array_literal(self, first: int) -> None:
        """``'{a,b}'::text[]``: the engine writes lists in other brackets."""
        view, string = self.view, self.tokens[first - 2]
        if string.kind == "string" and string.text[:1] == "{" and view.op(view.chain_end(first) + 1, "["):
            items = re.findall(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', string.text)
            listed = ", ".join("'" + (quoted or plain.strip()).replace("'", "''") + "'" for quoted, plain in items)
            self.edits.append(Edit((string.start, string.end), f"[{listed}]"))

    def _type(self, first: int, last: int, parts: list[str]) -> None:
        name = parts[-1]
        qualified = len(parts) == 2 and parts[0] in self.vocabulary.relations  # noqa: PLR2004  # schema and type
        if len(parts) > 1 and not qualified:
            return
        if name in REG_TYPES:
            self._reg(first, name)
        elif name in _TYPES and not (name == "char" and self.tokens[last].kind == "word" and not qualified):
            self._edit(first, last, _TYPES[name])
        elif qualified:
            self._edit(first, last - 1, "")

    def _reg(self, first: int, name: str) -> None:
        """Make a cast to a type of ids that are written as names."""
        view = self.view
        end = view.type_end(first)
        if not view.op(first - 1, "::"):
            self._reg_cast(first, end, name)
            return
        begin, stop = view.start(first - 2), first - 2
        literal = begin == stop and self.tokens[begin].kind in {"string", "param"}
        following = self.tokens[end + 2].text.casefold() if view.op(end + 1, "::") else ""
        if view.op(end + 3, ".") and following == PG_CATALOG:
            following = self.tokens[end + 4].text.casefold()
        compared = (
            self.tokens[end + 1].text in _COMPARING
            or (begin > 0 and self.tokens[begin - 1].text in _COMPARING)
            or view.word(end + 1) in {"IN", "NOT", "IS"}
        )
        wants_id = following in _IDS or ((literal or compared) and following not in _TEXTS and name not in _BY_NAME)
        key = function_key(f"{name}_{'oid' if wants_id else 'name'}")
        self.keys.add((None, key))
        self._insert(self.tokens[begin].start, f"{{{key}}}(")
        self.edits.append(Edit((self.tokens[first - 1].start, self.tokens[end].end), ")"))
        self.at = end

    def _reg_cast(self, first: int, end: int, name: str) -> None:
        """CAST(x AS regclass), which becomes a call."""
        opened = self.frames[-1].opened
        literal = opened + 2 == first - 1 and self.tokens[opened + 1].kind in {"string", "param"}
        key = function_key(f"{name}_{'oid' if literal else 'name'}")
        self.keys.add((None, key))
        self._edit(opened - 1, opened, f"{{{key}}}(")
        self._edit(first - 1, end, "")
        self.at = end

    # --- operators ---------------------------------------------------------------------------------------------------

    def _operator(self, text: str) -> None:
        view = self.view
        if text in {"(", "[", "{"}:
            self.frames.append(_Frame(self.at, cast=text == "(" and view.word(self.at - 1) in {"CAST", "TRY_CAST"}))
        elif text in {")", "]", "}"} and len(self.frames) > 1:
            self.frames.pop()
        elif text == "~":
            self._matches(self.at, self.at)

    def _matches(self, first: int, last: int) -> None:
        """Make PostgreSQL's match, which is anywhere in the text, of the engine's, which is of the whole text."""
        view = self.view
        start = first
        negated = first and view.op(first - 1, "!") and self.tokens[first - 1].end == self.tokens[first].start
        if negated:
            start -= 1
        if view.op(last + 1, "~") and self.tokens[last].end == self.tokens[last + 1].start:
            self.at = last + 1  # LIKE
            return
        any_case = view.op(last + 1, "*") and self.tokens[last].end == self.tokens[last + 1].start
        if any_case:
            last += 1
        self._match(start, last, last + 1, negated=bool(negated), any_case=any_case)
        self.at = last

    def _spelled_operator(self, at: int) -> None:
        """``OPERATOR(pg_catalog.~)`` and the like."""
        closed = self.view.partner.get(at + 1, at + 1)
        inner = [token for token in self.tokens[at + 2 : closed] if token.kind == "op" and token.text != "."]
        text = "".join(token.text for token in inner)
        if text in {"~", "~*", "!~", "!~*"}:
            self._match(at, closed, closed + 1, negated=text[0] == "!", any_case=text[-1] == "*")
        else:
            self._edit(at, closed, f" {text} ")
        self.at = closed

    def _match(self, first: int, last: int, operand: int, *, negated: bool, any_case: bool) -> None:
        key = function_key("pattern_any_case" if any_case else "pattern")
        self.keys.add((None, key))
        self._edit(first, last, f"{'!~' if negated else '~'} {{{key}}}(")
        self._insert(self.tokens[self.view.end(operand)].end, ")")

    def _collate(self, at: int) -> None:
        last = self.view.chain_end(at + 1)
        name = self.tokens[last].text.casefold()
        if name in {"default", "c", "posix", "ucs_basic"}:
            self._edit(at, last, "")
            self.at = last

    # --- edits -------------------------------------------------------------------------------------------------------

    def _edit(self, first: int, last: int, text: str, database: str | None = None) -> None:
        self.edits.append(Edit((self.tokens[first].start, self.tokens[last].end), text, database))

    def _insert(self, offset: int, text: str) -> None:
        self.edits.append(Edit((offset, offset), text))

    def _position(self, at: int) -> int:
        return self.statement.span[0] + self.tokens[at].start + 1
