"""The scrubber finds every known secret in every known form."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
import time
import urllib.parse

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlead.sensitive import MASK, Sensitive
from fairlead.vault import scrubber as scrubbers
from fairlead.vault.scrubber import Scrubber

# Independent of forms.py: each entry is what another program does to a text before it prints it.
ENCODERS = {
    "plain": lambda s: s,
    "quote": urllib.parse.quote,
    "quote all": lambda s: urllib.parse.quote(s, safe=""),
    "quote_plus": urllib.parse.quote_plus,
    "query": lambda s: urllib.parse.urlencode({"k": s}),
    "lower-case escapes": lambda s: re.sub("%..", lambda found: found[0].lower(), urllib.parse.quote(s, safe="")),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "urlsafe base64": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "base64 without padding": lambda s: base64.b64encode(s.encode()).decode().rstrip("="),
    "base64 in a URL": lambda s: urllib.parse.quote(base64.b64encode(s.encode()).decode(), safe=""),
    "basic authentication": lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "upper-case hex": lambda s: s.encode().hex().upper(),
    "json": json.dumps,
    "json with its own letters": lambda s: json.dumps(s, ensure_ascii=False),
    "sql": lambda s: "'" + s.replace("'", "''") + "'",
    "repr": repr,
    "repr of bytes": lambda s: repr(s.encode()),
    "xml": html.escape,
}

# Those that are made of few different characters may overlap with what surrounds them, or stand in the mask itself.
secrets = st.text(st.characters(min_codepoint=0x20, codec="utf-8"), min_size=8, max_size=60).filter(
    lambda s: len(set(s)) >= 5 and s not in MASK
)


@pytest.mark.parametrize("name", ENCODERS)
@given(secret=secrets, before=st.text(max_size=10), after=st.text(max_size=10))
def test_no_encoded_form_of_a_secret_is_left(name, secret, before, after):
    encoded = ENCODERS[name](secret)
    scrubber = Scrubber()
    text = f"{before} {encoded} {after}"
    assert scrubber.scrub(text) == text
    scrubber.learn(Sensitive(secret))
    scrubbed = scrubber.scrub(text)
    assert encoded not in scrubbed
    assert "<redacted>" in scrubbed
    assert secret not in scrubbed


@given(secret=secrets, before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_at_most_the_edges_of_a_secret_inside_longer_base64_are_left(secret, before, after):
    scrubber = Scrubber()
    scrubber.learn(Sensitive(secret))
    for encode, decode in ((base64.b64encode, base64.b64decode), (base64.urlsafe_b64encode, base64.urlsafe_b64decode)):
        scrubbed = scrubber.scrub(encode(before + secret.encode() + after).decode())
        left = [part for part in scrubbed.split("<redacted>") if part]
        assert "<redacted>" in scrubbed
        # What is left decodes to what stood around the secret, and less than two bytes of it on either side.
        for part in left:
            body = part.rstrip("=")
            found = len(decode(body + "=" * (-len(body) % 4))) if len(body) % 4 != 1 else len(body) * 3 // 4
            assert found <= max(len(before), len(after)) + 2


@given(learned=st.lists(secrets, max_size=5), text=st.text(max_size=200))
def test_a_text_without_secrets_is_not_changed(learned, text):
    scrubber = Scrubber()
    for secret in learned:
        scrubber.learn(Sensitive(secret))
    assume(not any(form in text for forms in scrubber._secrets.values() for form in forms))
    assert scrubber.scrub(text) == text


@given(st.lists(secrets, min_size=1, max_size=6, unique=True), st.data())
def test_forgetting_leaves_exactly_the_others(learned, data):
    scrubber, fresh = Scrubber(), Scrubber()
    gone = data.draw(st.sampled_from(learned))
    for secret in learned:
        scrubber.learn(Sensitive(secret))
        if secret != gone:
            fresh.learn(Sensitive(secret))
    scrubber.forget(Sensitive(gone))
    text = " | ".join(encode(secret) for secret in learned for encode in (str, json.dumps, urllib.parse.quote))
    assert scrubber.scrub(text) == fresh.scrub(text)


def test_secrets_that_overlap_in_a_text_leave_nothing_of_either():
    scrubber = Scrubber()
    scrubber.learn(Sensitive("alphabeta"))
    scrubber.learn(Sensitive("betagamma"))
    assert scrubber.scrub("x alphabetagamma y") == "x <redacted> y"


def test_the_longer_of_two_secrets_with_one_start_is_taken_whole():
    scrubber = Scrubber()
    for secret in ("swordfish", "swordfish-and-more", "swordfis"):
        scrubber.learn(Sensitive(secret))
    assert scrubber.scrub("swordfish-and-more/swordfish/swordfisX") == "<redacted>/<redacted>/<redacted>X"


def test_secrets_shorter_than_eight_characters_are_left_in_texts():
    scrubber = Scrubber()
    for secret in ("", "a", "abcdefg"):
        scrubber.learn(Sensitive(secret))
    assert scrubber.scrub("abc of a cab") == "abc of a cab"


def test_a_line_of_a_key_file_is_a_secret_and_its_header_is_not():
    lines = ["MIIEvQIBADANBgkqhkiG9w0B", "AQEFAASCBKcwggSjAgEAAoIB"]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    for stored in (key, json.dumps({"private_key": key})):
        scrubber = Scrubber()
        scrubber.learn(Sensitive(stored))
        text = f"bad line {lines[1]} after -----BEGIN PRIVATE KEY-----"
        assert scrubber.scrub(text) == "bad line <redacted> after -----BEGIN PRIVATE KEY-----"


def test_it_can_be_switched_off_for_the_test_that_needs_it():
    scrubber = Scrubber()
    scrubber.learn(Sensitive("correct horse"))
    scrubber.enabled = False
    assert scrubber.scrub("correct horse") == "correct horse"


def test_the_number_of_secrets_is_bounded_and_those_in_use_stay(monkeypatch):
    monkeypatch.setattr(scrubbers, "MAX_SECRETS", 3)
    scrubber = Scrubber()
    for number in (1, 2, 3, 1, 4):  # the first is used again before the fourth comes
        scrubber.learn(Sensitive(f"secret-number-{number}"))
    scrubbed = [scrubber.scrub(f"secret-number-{number}") for number in (1, 2, 3, 4)]
    assert scrubbed == ["<redacted>", "secret-number-2", "<redacted>", "<redacted>"]


def test_the_cost_of_a_text_does_not_grow_with_the_number_of_secrets():
    text = "an ordinary message of some length, with words and numbers 12345. " * 200

    def cost(scrubber: Scrubber) -> float:
        best = []
        for _ in range(7):
            began = time.perf_counter()
            scrubber.scrub(text)
            best.append(time.perf_counter() - began)
        return min(best)

    few, many = Scrubber(), Scrubber()
    few.learn(Sensitive("w0rd-that-is-not-in-there"))
    for number in range(3000):
        many.learn(Sensitive(f"{number:x}/{number * 7919:x}+key"))
    assert cost(many) < 5 * cost(few) + 0.001


def test_texts_are_scrubbed_while_other_threads_learn_and_forget():
    scrubber = Scrubber()
    scrubber.learn(Sensitive("always-known"))
    stop = threading.Event()

    def churn(number: int) -> None:
        while not stop.is_set():
            secret = Sensitive(f"always-{number}-comes-and-goes")
            scrubber.learn(secret)
            scrubber.forget(secret)

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        assert {scrubber.scrub("it is always-known here") for _ in range(2000)} == {"it is <redacted> here"}
    finally:
        stop.set()
        for thread in threads:
            thread.join()
