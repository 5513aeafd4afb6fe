"""Hypothesis strategies for every kind of statement, as ``parse`` returns them in the native dialect."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from fairlead.lang import ast
from fairlead.lang.vocabulary import (
    CATEGORIES,
    CREDENTIAL_OPTIONS,
    LINK_TYPES,
    MATERIALIZE_TYPES,
    NATIVE_OPTION_NAMES,
    OPTION_NAMES,
    PARAMETERS,
    PRIVILEGES,
    REFERENCE_OPTIONS,
)
from fairlead.sensitive import Sensitive

free = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
texts = free | st.sampled_from(
    ["it's", "a\\b", '"', "`", "--", "/*", "$$", ";", "a''b", "\\x41", "<redacted>", "\n", "@s/x"]
)
secrets_text = texts | st.sampled_from(["\0", "a\0\\", "\\\\", "\\101"])
words = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
identifiers = (
    words | texts.filter(bool) | st.sampled_from(["select", "TO", "Secret", "a.b", "my conn", "STORED", "true"])
)
names = st.lists(identifiers, min_size=1, max_size=3).map(lambda parts: ast.Name(tuple(parts)))
flags = st.booleans()


def maybe(strategy):
    return st.none() | strategy


def sensitive(strategy):
    return strategy.map(Sensitive)


# --- values ----------------------------------------------------------------------------------------------------------

strings = sensitive(texts).map(ast.Text)
numbers = st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{1,3})?", fullmatch=True).map(lambda n: ast.Text(Sensitive(n), "number"))
booleans = st.sampled_from(["true", "false"]).map(lambda b: ast.Text(Sensitive(b), "boolean"))
nulls = st.just(ast.Text(Sensitive("null"), "null"))
bare = sensitive(identifiers).map(lambda value: ast.Text(value, "word"))
references = names.map(ast.SecretRef)
concats = st.lists(strings | references, min_size=2, max_size=4).map(lambda parts: ast.Concat(tuple(parts)))
stored = st.just(ast.Stored())
dotted = st.lists(identifiers, min_size=2, max_size=3).map(lambda parts: ast.NameRef(ast.Name(tuple(parts))))
string_values = strings | references | concats | stored
values = st.recursive(
    string_values | numbers | booleans | nulls | bare | dotted,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: ast.ListOf(tuple(items)))
        | st.lists(st.tuples(texts, inner), max_size=3).map(lambda items: ast.MapOf(tuple(items)))
    ),
    max_leaves=5,
)


@st.composite
def materialize_options(draw):
    name = draw(st.sampled_from([n for n in (*OPTION_NAMES, *NATIVE_OPTION_NAMES) if n != "USERNAME"]))
    if name in REFERENCE_OPTIONS:
        return ast.Option(name, draw(names.map(ast.NameRef) | stored))
    if name in {"BROKER", "BROKERS"}:
        lists = st.lists(strings, min_size=1, max_size=2).map(lambda items: ast.ListOf(tuple(items)))
        return ast.Option(name, draw(strings | lists if name == "BROKERS" else strings))
    if name in CREDENTIAL_OPTIONS:
        return ast.Option(name, draw(st.none() | string_values | bare | numbers))
    return ast.Option(name, draw(st.none() | values))


parameter_names = st.sampled_from(PARAMETERS) | st.from_regex(r"X_[A-Z0-9_]{1,6}", fullmatch=True)
clickzetta_options = st.builds(ast.Option, parameter_names, values)
databend_names = parameter_names.filter(lambda name: name != "CONNECTION_NAME")
databend_options = st.builds(ast.Option, databend_names, string_values) | st.builds(
    ast.Option, st.just("ENABLE_VIRTUAL_HOST_STYLE"), booleans
)


def many(strategy, least=0):
    return st.lists(strategy, min_size=least, max_size=4).map(tuple)


# --- connections -----------------------------------------------------------------------------------------------------


@st.composite
def exclusive_flags(draw):
    return draw(st.sampled_from([{}, {"or_replace": True}, {"if_not_exists": True}]))


@st.composite
def json_clauses(draw, clause):
    items = draw(st.dictionaries(texts, texts | st.booleans() | st.integers(0, 99), max_size=3))
    options = [ast.Option(key, _json_text(value), clause) for key, value in items.items()]
    if draw(flags) and "headers" not in items:
        inner = json.dumps({"A": draw(texts)})
        options.append(ast.Option("headers", ast.Text(Sensitive(inner), "json"), clause))
        items["headers"] = json.loads(inner)
    if draw(flags) and "named" not in items:
        options.append(ast.Option("named", ast.SecretRef(ast.Name(("a", "b"))), clause))
        items["named"] = {"secret": "a.b"}
    return tuple(options), json.dumps(items, indent=draw(st.none() | st.just(2)))


def _json_text(value):
    if isinstance(value, bool):
        return ast.Text(Sensitive("true" if value else "false"), "boolean")
    return ast.Text(Sensitive(str(value)), "number" if isinstance(value, int) else "string")


@st.composite
def links(draw):
    clauses = draw(st.permutations(["CREDENTIALS", "CONFIG"]).flatmap(lambda c: st.integers(0, 2).map(lambda n: c[:n])))
    is_stored = "CREDENTIALS" in clauses and draw(flags)
    options, config = (), None
    for clause in clauses:
        if clause == "CREDENTIALS" and is_stored:
            continue
        found, text = draw(json_clauses(clause))
        options += found
        config = text if clause == "CONFIG" else config
    return ast.CreateConnection(
        name=draw(names),
        spelling="singlestore",
        type_word=draw(st.sampled_from(LINK_TYPES)),
        options=options,
        credentials_stored=is_stored,
        clauses=tuple(clauses),
        config_text=config,
        comment=draw(maybe(texts)),
        noun="LINK",
        **draw(exclusive_flags()),
    )


@st.composite
def materialize_connections(draw):
    return ast.CreateConnection(
        name=draw(names),
        spelling="materialize",
        type_word=draw(st.sampled_from(MATERIALIZE_TYPES)),
        options=draw(many(materialize_options(), 1)),
        validate=draw(maybe(flags)),
        **draw(exclusive_flags()),
    )


@st.composite
def databend_connections(draw):
    return ast.CreateConnection(
        name=draw(names),
        spelling="databend",
        type_word=draw(st.sampled_from(["S3", "AZBLOB", "GCS"])),
        options=draw(many(databend_options)),
        **draw(exclusive_flags()),
    )


@st.composite
def clickzetta_connections(draw):
    options = draw(many(clickzetta_options))
    clauses = ()
    if draw(flags):
        clauses = ("PROPERTIES",)
        options += draw(many(st.builds(ast.Option, texts, string_values, st.just("PROPERTIES")), 1))
    return ast.CreateConnection(
        name=draw(names),
        spelling="clickzetta",
        type_word=draw(st.sampled_from(["S3", "OSS", "ICEBERG_REST"])),
        category=draw(maybe(st.sampled_from(CATEGORIES))),
        options=options,
        clauses=clauses,
        comment=draw(maybe(texts)),
        **draw(exclusive_flags()),
    )


actions = (
    many(materialize_options(), 1).map(ast.SetOptions)
    | many(
        clickzetta_options.filter(lambda o: o.name not in OPTION_NAMES and not isinstance(o.value, ast.ListOf)), 1
    ).map(ast.SetOptions)
    | many(st.sampled_from([n for n in OPTION_NAMES if n != "USERNAME"]) | parameter_names, 1).map(ast.UnsetOptions)
    | identifiers.map(ast.RenameTo)
    | identifiers.map(ast.OwnerTo)
    | texts.map(ast.SetComment)
    | flags.map(ast.SetEnabled)
)
alter_connections = st.builds(
    ast.AlterConnection, name=names, actions=many(actions, 1), if_exists=flags, validate=maybe(flags)
)


@st.composite
def alter_links(draw):
    todo = draw(st.sets(st.sampled_from(["CONFIG", "CREDENTIALS", "DESCRIPTION"]), min_size=1))
    done = []
    for what in sorted(todo):
        if what == "DESCRIPTION":
            done.append(ast.SetComment(draw(texts)))
        elif draw(flags):
            option = ast.Option(draw(identifiers), draw(strings | numbers | booleans | references | stored), what)
            done.append(ast.SetOptions((option,)))
        else:
            options, text = draw(json_clauses(what))
            done.append(ast.ReplaceClause(what, options, text if what == "CONFIG" else None))
    if draw(flags):
        done = [ast.RenameTo(draw(identifiers))]
    return ast.AlterConnection(name=draw(names), actions=tuple(done), if_exists=draw(flags), noun="LINK")


# --- stages ----------------------------------------------------------------------------------------------------------

format_values = strings | numbers | booleans | nulls | bare | many(strings).map(ast.ListOf)
format_options = st.builds(ast.Option, parameter_names, format_values)
stage_parts = {
    "name": names,
    "url": maybe(texts),
    "connection": maybe(names),
    "inline": many(databend_options),
    "comment": maybe(texts),
}
create_stages = st.builds(
    lambda chosen, **parts: ast.CreateStage(**parts, **chosen),
    exclusive_flags(),
    file_format=many(format_options),
    **stage_parts,
)
alter_stages = st.builds(
    ast.AlterStage, file_format=maybe(many(format_options, 1)), if_exists=flags, **stage_parts
).filter(lambda s: any((s.url is not None, s.connection, s.inline, s.file_format, s.comment is not None))) | st.builds(
    ast.AlterStage, name=names, file_format=st.just(()), comment=st.sampled_from([None, ""]), if_exists=flags
)
list_stages = st.builds(ast.ListStage, stage=names, path=texts, pattern=maybe(texts))

# --- people, rights, settings ----------------------------------------------------------------------------------------

passwords = sensitive(texts)
targets = (
    st.just(ast.GrantTarget("system"))
    | st.builds(
        ast.GrantTarget,
        st.sampled_from(["database", "schema", "connection", "secret", "stage", "table", "view"]),
        many(names, 1),
    )
    | st.builds(
        ast.GrantTarget,
        st.just("table"),
        many(names, 1),
        all_in=st.just(True),
        within=st.just("schema"),
    )
    | st.builds(
        ast.GrantTarget,
        st.sampled_from(["connection", "secret", "stage"]),
        st.just(()) | identifiers.map(lambda part: (ast.Name((part,)),)),
        all_in=st.just(True),
    )
)
conditions = st.sampled_from(["region = 'EU'", "a SIMILAR TO 'x' OR \"to\" IN (1, 2)", "a > date '2026-01-01'"])
narrowed = st.builds(
    ast.Grant,
    privileges=st.just(("SELECT",)),
    target=st.builds(ast.GrantTarget, st.just("table"), many(names, 1)),
    grantees=many(identifiers, 1),
    columns=many(identifiers),
    condition=maybe(conditions),
)
privileges = many(st.sampled_from(PRIVILEGES), 1)
accounts = many(identifiers, 1)
settings = st.lists(identifiers.filter(lambda text: "." not in text), min_size=1, max_size=3).map(".".join)
secret_values = sensitive(secrets_text).map(lambda value: ast.SecretValue(value=value))
nouns = st.sampled_from(
    [("secret", "CONNECTION"), ("connection", "CONNECTION"), ("connection", "LINK"), ("stage", "CONNECTION")]
)


def with_noun(build, **parts):
    return nouns.flatmap(lambda kn: st.builds(build, kind=st.just(kn[0]), noun=st.just(kn[1]), **parts))


@st.composite
def alter_roles(draw):
    if draw(flags):
        return ast.AlterRole(name=draw(identifiers), login=draw(flags), rename_to=draw(identifiers))
    password, superuser = draw(maybe(passwords)), draw(maybe(flags))
    if password is None and superuser is None:
        superuser = True
    return ast.AlterRole(name=draw(identifiers), login=draw(flags), password=password, superuser=superuser)


queries = st.sampled_from(
    [
        "SELECT * FROM t",
        "(SELECT 1)",
        "FROM @s/x.csv (FILE_FORMAT => 'csv') SELECT a",
        "WITH x AS (SELECT 'it''s; -- no') SELECT $$;$$ FROM x",
        "VALUES (1, 'a')",
    ]
)


@st.composite
def default_privileges(draw):
    revoke = draw(flags)
    return ast.AlterDefaultPrivileges(
        roles=draw(many(identifiers)),
        schemas=draw(many(names)),
        privileges=draw(privileges),
        grantees=draw(accounts),
        revoke=revoke,
        grant_option=not revoke and draw(flags),
    )


BY_KIND = {
    ast.CreateSecret: exclusive_flags().flatmap(
        lambda chosen: st.builds(
            ast.CreateSecret,
            name=names,
            value=secret_values,
            comment=maybe(texts),
            **{k: st.just(v) for k, v in chosen.items()},
        )
    ),
    ast.AlterSecret: st.builds(ast.AlterSecret, name=names, if_exists=flags, value=secret_values)
    | st.builds(ast.AlterSecret, name=names, if_exists=flags, rename_to=identifiers)
    | st.builds(ast.AlterSecret, name=names, if_exists=flags, owner_to=identifiers),
    ast.DropObjects: with_noun(ast.DropObjects, names=many(names, 1), if_exists=flags, cascade=flags)
    | st.builds(ast.DropObjects, kind=st.just("view"), names=many(names, 1), if_exists=flags, cascade=flags),
    ast.ShowObjects: with_noun(ast.ShowObjects, scope=maybe(identifiers), like=maybe(texts))
    | st.builds(ast.ShowObjects, kind=st.just("connection"), category=st.sampled_from(CATEGORIES), like=maybe(texts)),
    ast.DescribeObject: with_noun(ast.DescribeObject, name=names, extended=flags).filter(lambda s: s.kind != "secret"),
    ast.ShowCreate: with_noun(ast.ShowCreate, name=names, redacted=flags).filter(lambda s: s.kind != "secret")
    | st.builds(ast.ShowCreate, kind=st.sampled_from(["table", "view"]), name=names),
    ast.ShowDependents: with_noun(ast.ShowDependents, name=names).filter(lambda s: s.kind != "stage"),
    ast.ValidateConnection: st.builds(ast.ValidateConnection, name=names, noun=st.sampled_from(["CONNECTION", "LINK"])),
    ast.CreateConnection: links() | materialize_connections() | databend_connections() | clickzetta_connections(),
    ast.AlterConnection: alter_connections | alter_links(),
    ast.CreateStage: create_stages,
    ast.AlterStage: alter_stages,
    ast.ListStage: list_stages,
    ast.CreateRole: st.builds(
        ast.CreateRole, name=identifiers, login=flags, password=maybe(passwords), superuser=flags, if_not_exists=flags
    ),
    ast.AlterRole: alter_roles(),
    ast.DropRole: st.builds(ast.DropRole, names=accounts, login=flags, if_exists=flags),
    ast.Grant: st.builds(ast.Grant, privileges=privileges, target=targets, grantees=accounts, grant_option=flags)
    | narrowed,
    ast.Revoke: st.builds(ast.Revoke, privileges=privileges, target=targets, grantees=accounts, grant_option_only=flags)
    | narrowed.map(
        lambda s: ast.Revoke(privileges=s.privileges, target=s.target, grantees=s.grantees, columns=s.columns)
    ),
    ast.AlterDefaultPrivileges: default_privileges(),
    ast.ShowDefaultPrivileges: st.just(ast.ShowDefaultPrivileges()),
    ast.CreateView: exclusive_flags().flatmap(
        lambda chosen: st.builds(
            ast.CreateView,
            name=names,
            query=queries,
            columns=many(identifiers),
            **{k: st.just(v) for k, v in chosen.items()},
        )
    ),
    ast.AlterObject: st.builds(
        ast.AlterObject,
        kind=st.sampled_from(["table", "view", "schema", "database"]),
        name=names,
        owner_to=identifiers,
        if_exists=flags,
    )
    | st.builds(ast.AlterObject, kind=st.sampled_from(["view", "schema"]), name=names, rename_to=identifiers)
    | st.builds(ast.AlterObject, kind=st.just("view"), name=names, comment=texts),
    ast.ShowSnapshots: st.builds(ast.ShowSnapshots, scope=maybe(identifiers), limit=st.integers(0, 1_000_000)),
    ast.ShowTables: st.builds(
        ast.ShowTables, kind=st.sampled_from(["table", "view", "schema"]), scope=maybe(names), like=maybe(texts)
    ),
    ast.GrantRole: st.builds(ast.GrantRole, roles=accounts, grantees=accounts),
    ast.RevokeRole: st.builds(ast.RevokeRole, roles=accounts, grantees=accounts),
    ast.ShowGrants: st.builds(ast.ShowGrants, grantee=maybe(identifiers), on=maybe(targets)),
    ast.ShowRoles: st.builds(ast.ShowRoles, login=flags),
    ast.Vacuum: st.builds(ast.Vacuum, database=maybe(identifiers)),
    ast.ShowLedger: st.builds(ast.ShowLedger, limit=st.integers(0, 1_000_000)),
    ast.VerifyLedger: st.just(ast.VerifyLedger()),
    ast.CreateDatabase: st.builds(ast.CreateDatabase, name=identifiers, if_not_exists=flags)
    | st.builds(ast.CreateDatabase, name=identifiers, data_path=texts, connection=names),
    ast.DropDatabase: st.builds(ast.DropDatabase, name=identifiers, if_exists=flags, cascade=flags),
    ast.ShowDatabases: st.just(ast.ShowDatabases()),
    ast.Use: st.builds(ast.Use, database=identifiers),
    ast.SetVariable: st.builds(
        ast.SetVariable, name=settings, value=maybe(texts), scope=st.sampled_from(["session", "local", "global"])
    ),
    ast.ResetVariable: st.builds(ast.ResetVariable, name=maybe(settings)),
    ast.ShowVariable: st.builds(ast.ShowVariable, name=maybe(settings)),
    ast.Transaction: st.builds(ast.Transaction, action=st.sampled_from(["begin", "commit", "rollback"])),
    ast.Discard: st.builds(
        ast.Discard,
        what=st.sampled_from(["ALL", "TEMP", "PLANS", "SEQUENCES", "statements"])
        | identifiers.map(lambda name: f"statement:{name}"),
    ),
}
statements = st.one_of(*BY_KIND.values())
