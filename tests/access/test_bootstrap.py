"""The first superuser."""

from __future__ import annotations

import base64
import hashlib

import pytest

from fairlead.access.bootstrap import ensure_superuser
from fairlead.access.ledger import Ledger
from fairlead.access.scram import Verifier, make_verifier
from fairlead.catalog.catalog import Catalog
from fairlead.sensitive import Sensitive


def fits(verifier: str, password: Sensitive) -> bool:
    parsed = Verifier.parse(verifier)
    return make_verifier(password, parsed.iterations, salt=parsed.salt) == verifier


def superuser(catalog):
    with catalog.read() as snapshot:
        return snapshot.role("fairlead")


@pytest.mark.parametrize("given", [None, Sensitive("")])
def test_a_password_is_generated_once_where_none_is_given(catalog, ledger, given):
    generated = ensure_superuser(catalog, ledger, given)
    assert generated is not None
    assert len(generated.reveal()) >= 20
    made = superuser(catalog)
    assert made.login
    assert made.superuser
    assert fits(made.verifier, generated)
    assert ensure_superuser(catalog, ledger, None) is None
    assert superuser(catalog) == made
    assert [(row.action, row.object) for row in ledger.tail(9)] == [("CREATE USER", "role fairlead")]


def test_a_given_password_is_set_and_not_given_back(catalog, ledger):
    assert ensure_superuser(catalog, ledger, Sensitive("from the environment")) is None
    assert fits(superuser(catalog).verifier, Sensitive("from the environment"))


def test_a_later_start_does_not_change_the_password(catalog, ledger):
    ensure_superuser(catalog, ledger, Sensitive("first"))
    ensure_superuser(catalog, ledger, Sensitive("second"))
    assert fits(superuser(catalog).verifier, Sensitive("first"))


def test_generated_passwords_differ(catalog, ledger, tmp_path):
    other = Catalog.open(tmp_path / "other.db")
    one = ensure_superuser(catalog, ledger, None)
    two = ensure_superuser(other, Ledger(other, b"o" * 32), None)
    assert one != two
    other.close()


def test_the_password_is_nowhere_in_the_file(catalog, ledger, tmp_path):
    password = "plain-to-see-in-the-file"
    ensure_superuser(catalog, ledger, Sensitive(password))
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"SCRAM-SHA-256$4096:" in content
    forms = (password.encode(), base64.b64encode(password.encode()), password.encode().hex().encode())
    for form in (*forms, hashlib.sha256(password.encode()).hexdigest().encode()):
        assert form not in content
