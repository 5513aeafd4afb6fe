"""The keyring: made once, private, and never silently replaced."""

from __future__ import annotations

import base64
import json
import stat

import pytest

from fairlead.errors import ConfigurationError, VaultError
from fairlead.sensitive import Sensitive
from fairlead.vault.keyring import Keyring, open_keyring
from fairlead.vault.vault import Vault

PLACE = {"object_id": 7, "field": "password", "version": 2}


def test_the_first_start_makes_a_private_random_keyring_and_the_next_reads_it(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    made = open_keyring(one, in_use=False)
    assert stat.S_IMODE((one / "keyring.json").stat().st_mode) == 0o600
    assert open_keyring(one, in_use=True) == made
    assert open_keyring(other, in_use=False) != made
    assert [f.name for f in one.iterdir()] == ["keyring.json"]


def test_a_keyring_that_is_missing_while_secrets_are_there_is_refused_and_not_replaced(tmp_path):
    with pytest.raises(VaultError, match="is missing"):
        Vault.open(tmp_path, in_use=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_keyring_that_others_can_reach_is_refused(tmp_path, mode):
    open_keyring(tmp_path, in_use=False)
    (tmp_path / "keyring.json").chmod(mode)
    with pytest.raises(ConfigurationError, match=f"mode {mode:04o}"):
        open_keyring(tmp_path, in_use=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda k: k.update(format=2),
        lambda k: k.update(active="other"),
        lambda k: k.update(seed="AAAA"),
        lambda k: k.update(keys={k["active"]: base64.b64encode(b"short").decode()}),
        lambda k: k.update(keys={k["active"]: "%%%"}),
        lambda k: k.update(keys=[]),
        lambda k: k.pop("seed"),
        lambda k: k.clear(),
    ],
)
def test_a_damaged_keyring_is_refused(tmp_path, change):
    file = tmp_path / "keyring.json"
    open_keyring(tmp_path, in_use=False)
    stored = json.loads(file.read_text())
    change(stored)
    file.write_text(json.dumps(stored))
    with pytest.raises(VaultError, match="not a keyring"):
        open_keyring(tmp_path, in_use=True)


def test_bytes_that_are_no_keyring_are_refused(tmp_path):
    file = tmp_path / "keyring.json"
    for content in (b"", b"[]", b'"x"', b"\xff\xfe", b"{"):
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(VaultError, match="not a keyring"):
            open_keyring(tmp_path, in_use=False)


def test_the_repr_of_a_keyring_shows_no_key(tmp_path):
    made = open_keyring(tmp_path, in_use=False)
    shown = repr(made)
    assert made.active in shown
    for key in (*made.keys.values(), made.seed):
        assert repr(key) not in shown


def test_an_older_key_still_opens_what_it_sealed_after_another_became_active(tmp_path):
    before = Keyring.generate()
    envelope = Vault(before).seal(Sensitive("old secret"), **PLACE)
    fresh = Keyring.generate()
    after = Keyring(fresh.active, {**before.keys, **fresh.keys}, before.seed)
    after.save(tmp_path / "keyring.json")
    vault = Vault.open(tmp_path, in_use=True)
    assert vault.unseal(envelope, **PLACE) == Sensitive("old secret")
    assert fresh.active.encode() in vault.seal(Sensitive("x"), **PLACE)
    assert vault.ledger_key() == Vault(before).ledger_key()


def test_derived_keys_differ_by_purpose_and_by_keyring_and_stay():
    one, other = Keyring.generate(), Keyring.generate()
    keys = [one.derive("ledger"), one.derive("scram-mock"), other.derive("ledger"), one.seed]
    assert len(set(keys)) == 4
    assert one.derive("ledger") == keys[0]
    assert Vault(one).ledger_key() == keys[0]
    assert Vault(one).mock_key() == keys[1]
    assert {len(key) for key in keys} == {32}
