"""Envelopes open at their own place, with their own keyring, unchanged; nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import VaultError
from fairlead.sensitive import Sensitive
from fairlead.vault.envelope import Place, seal, unseal
from fairlead.vault.keyring import Keyring
from fairlead.vault.vault import Vault

KEYRING = Keyring.generate()
VAULT = Vault(KEYRING)
PLACE = Place(7, "secret_access_key", 3)


@given(value=st.binary(max_size=2000), field=st.text(max_size=20), version=st.integers(0, 2**40))
def test_what_is_sealed_comes_back(value, field, version):
    place = Place(7, field, version)
    envelope = seal(KEYRING, value, place)
    assert unseal(KEYRING, envelope, place) == value
    assert len(value) < 16 or value not in envelope


@given(value=st.text(st.characters(), max_size=200))
def test_every_text_comes_back_through_the_vault(value):
    envelope = VAULT.seal(Sensitive(value), object_id=1, field="f", version=1)
    assert VAULT.unseal(envelope, object_id=1, field="f", version=1).reveal() == value


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place(8, "secret_access_key", 3),
        Place(7, "session_token", 3),
        Place(7, "secret_access_key", 2),
        Place(73, "secret_access_key", 3),
        Place(7, 'secret_access_key",3', 3),
        Place(7, "", 3),
    ],
)
def test_an_envelope_that_was_moved_does_not_open(elsewhere):
    envelope = seal(KEYRING, b"value", PLACE)
    with pytest.raises(VaultError):
        unseal(KEYRING, envelope, elsewhere)


def test_the_same_value_never_looks_the_same_twice():
    assert len({seal(KEYRING, b"value", PLACE) for _ in range(50)}) == 50


def test_every_flipped_bit_is_noticed():
    envelope = seal(KEYRING, b"value", PLACE)
    for bit in range(len(envelope) * 8):
        changed = bytearray(envelope)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VaultError):
            unseal(KEYRING, bytes(changed), PLACE)


def test_every_shortened_or_lengthened_envelope_is_refused():
    envelope = seal(KEYRING, b"value", PLACE)
    for changed in [envelope[:end] for end in range(len(envelope))] + [envelope + b"\0"]:
        with pytest.raises(VaultError):
            unseal(KEYRING, changed, PLACE)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_the_one_error(garbage):
    for content in (garbage, b"\x01\x08" + KEYRING.active.encode() + garbage):
        with pytest.raises(VaultError):
            unseal(KEYRING, content, PLACE)


def test_halves_of_two_envelopes_do_not_make_one():
    one, other = seal(KEYRING, b"one..", PLACE), seal(KEYRING, b"other", PLACE)
    cut = 2 + one[1] + 12 + 48  # the wrapped key of one, the ciphertext of the other
    with pytest.raises(VaultError):
        unseal(KEYRING, one[:cut] + other[cut:], PLACE)


def test_another_keyring_opens_nothing_even_under_the_same_key_id():
    envelope = seal(KEYRING, b"value", PLACE)
    stranger = Keyring.generate()
    same_id = Keyring(KEYRING.active, {KEYRING.active: stranger.keys[stranger.active]}, stranger.seed)
    for keyring in (stranger, same_id):
        with pytest.raises(VaultError) as refused:
            unseal(keyring, envelope, PLACE)
        assert KEYRING.active not in str(refused.value)


def test_bytes_that_are_no_text_are_an_error_of_the_vault():
    envelope = seal(KEYRING, b"\xff\xfe", Place(1, "f", 1))
    with pytest.raises(VaultError, match="not a text"):
        VAULT.unseal(envelope, object_id=1, field="f", version=1)


def test_sealing_and_opening_both_teach_the_scrubber():
    writer, reader = Vault(KEYRING), Vault(KEYRING)
    envelope = writer.seal(Sensitive("correct horse"), object_id=1, field="f", version=1)
    assert writer.scrubber.scrub("a correct horse b") == "a <redacted> b"
    assert reader.scrubber.scrub("correct horse") == "correct horse"
    reader.unseal(envelope, object_id=1, field="f", version=1)
    assert reader.scrubber.scrub("correct horse") == "<redacted>"
