"""Who may read a secret: every place in the source that opens a ``Sensitive`` is on this list, with its reason.

A new place fails this test until somebody has thought about it and written why.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCE = Path(__file__).resolve().parents[2] / "src" / "fairlead"
_OPENERS: Final = frozenset({"reveal", "get_secret_value"})

# The writer of statements has a flag of this name: ``self.reveal`` and ``w.reveal`` read no secret.
_FLAG_OF: Final = frozenset({"self", "w"})

# place: (number of mentions, reason)
ALLOWED: Final[dict[str, tuple[int, str]]] = {
    "access/scram.py::make_verifier": (1, "a password becomes its verifier; the password is not kept"),
    "access/scram.py::verifier_of": (1, "is what was given as a password a verifier already?"),
    "cli/accounts.py::_show": (2, "a generated password is shown once, on the operator's own terminal or pipe"),
    "cli/shell/connecting.py::_opened": (1, "the user's own password, which libpq proves to the gateway"),
    "cli/shell/password.py::change_password": (
        1,
        "libpq makes the verifier that is sent; the password stays in the client",
    ),
    "cli/main.py::_welcome": (1, "the generated first password is shown once, on the operator's own terminal"),
    "dialects/formats.py::_plain": (1, "an option of a file format: the parser holds every literal as a secret"),
    "dialects/masks.py::refuse_mask": (1, "is the given secret one of the masks that we print?"),
    "dialects/names.py::plain_text": (1, "an option that is a name: the parser holds every literal as a secret"),
    "dialects/reading.py::_Reader._listed": (1, "an option that is declared not secret"),
    "dialects/reading.py::_Reader._text": (1, "an option that is declared not secret"),
    "dialects/stored.py::_opened": (1, "joins the parts of a value; what it gives is sealed in the type again"),
    "egress/sigv4.py::_signing_key": (1, "signs a request to the store, and checks the worker's dummy signature"),
    "egress/stores.py::StoreClient._head": (2, "the key id and the session token go into the signed request"),
    "engine/process.py::WorkerProcess._boot": (1, "the worker's own dummy key, random per worker, is handed to it"),
    "lang/render_connections.py::_json_value": (2, "rendering of a statement, only when asked to show its values"),
    "lang/writer.py::Writer.secret": (1, "rendering of a statement, only when asked to show its values"),
    "lang/writer.py::Writer.sensitive": (1, "rendering of a statement, only when asked to show its values"),
    "lang/writer.py::Writer.text": (1, "rendering of a statement, only when asked to show its values"),
    "server/http/figures.py::Figures._has_token": (1, "is the token that somebody has sent the one of the settings?"),
    "server/gateway.py::Gateway.__init__": (1, "the administrator's password comes from the settings"),
    "vault/scrubber.py::Scrubber.forget": (1, "the scrubber must know what to look for"),
    "vault/scrubber.py::Scrubber.learn": (1, "the scrubber must know what to look for"),
    "vault/vault.py::Vault.seal": (1, "encrypts it"),
}
# Writers that print the literals they are given; those of SHOW statements are given options without secrets.
WRITERS: Final[dict[str, str]] = {
    "dialects/grants.py": "names in SHOW GRANTS",
    "dialects/links.py": "names in SHOW LINKS",
    "dialects/relations.py": "names in SHOW and SHOW CREATE of tables, views and default privileges",
    "dialects/render.py": "SHOW CREATE: plain options, secrets as references, STORED or the mask",
    "dialects/tables.py": "names in DESC and SHOW",
    "lang/render.py": "render(secrets='reveal'), for the round trip of the parser's tests",
    "lang/render_session.py": "arguments of set_config, EXECUTE and their like, masked unless render(secrets='reveal')",
    "lang/writer.py": "options of a file format, where nothing is secret",
}


def _places(tree: ast.AST, scope: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the enclosing class and function of every mention of an opener, called or handed on."""
    for node in ast.iter_child_nodes(tree):
        inner = scope
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = (*scope, node.name)
        elif isinstance(node, ast.Attribute) and node.attr in {*_OPENERS, "_value"} and not _is_flag(node):
            yield ".".join(scope) or "<module>"
        yield from _places(node, inner)


def _is_flag(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in _FLAG_OF


def _found() -> Counter[str]:
    found: Counter[str] = Counter()
    for path in sorted(_SOURCE.rglob("*.py")):
        name = path.relative_to(_SOURCE).as_posix()
        if name == "sensitive.py":
            continue  # the type itself
        found.update(f"{name}::{place}" for place in _places(ast.parse(path.read_text())))
    return found


def test_every_place_that_opens_a_secret_is_listed_with_its_reason():
    assert dict(_found()) == {place: count for place, (count, _) in ALLOWED.items()}


def _revealing_writers() -> set[str]:
    """Return the files that ask for a writer that prints literals, or for such a rendering."""
    found = set()
    for path in _SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            asked = isinstance(node, ast.keyword) and (
                (node.arg == "reveal" and not (isinstance(node.value, ast.Constant) and node.value.value is False))
                or (node.arg == "secrets" and isinstance(node.value, ast.Constant) and node.value.value == "reveal")
            )
            if asked:
                found.add(path.relative_to(_SOURCE).as_posix())
    return found


def test_every_file_that_prints_literals_is_listed_with_its_reason():
    assert _revealing_writers() == set(WRITERS)


def test_the_search_sees_calls_references_and_nested_functions():
    text = "def f(s):\n    def g():\n        return s.reveal\n    return map(s.reveal(), 1), s._value\n"
    assert Counter(_places(ast.parse(text))) == {"f.g": 1, "f": 2}


def test_the_worker_never_mentions_the_type():
    assert [p.name for p in (_SOURCE / "worker").rglob("*.py") if "ensitive" in p.read_text()] == []
