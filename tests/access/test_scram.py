"""SCRAM-SHA-256: the vector of RFC 7677, the verifiers of libpq, a login by libpq, and everything that must fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import struct
import threading

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.access import scram
from fairlead.access.saslprep import saslprep
from fairlead.access.scram import MECHANISM_PLUS, ScramServer, Verifier, make_verifier
from fairlead.errors import InvalidPassword, ProtocolViolation
from fairlead.sensitive import Sensitive

# RFC 7677, section 3.
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO" + SERVER_NONCE.encode() + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO" + SERVER_NONCE.encode() + b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

PENCIL = make_verifier(Sensitive("pencil"), salt=SALT)


def server(verifier: str | None = PENCIL, **given) -> ScramServer:
    return ScramServer(verifier, **{"user": "user", "nonce": SERVER_NONCE, **given})


def answer(
    password: str, client_first: bytes, server_first: bytes, *, binding: bytes = b"", drop: str = ""
) -> tuple[bytes, bytes]:
    """Return a client's final message and the server signature that it expects: an independent client."""
    flag, authorization, bare = client_first.split(b",", 2)
    fields = dict(part.split("=", 1) for part in server_first.decode().split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    header = base64.b64encode(flag + b"," + authorization + b"," + binding).decode()
    without_proof = f"c={header},r={fields['r']}{drop}".encode()
    message = b",".join((bare, server_first, without_proof))
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    expected = b"v=" + base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256"))
    return without_proof + b",p=" + base64.b64encode(proof), expected


def test_the_exchange_of_rfc_7677_goes_byte_for_byte():
    exchange = server()
    assert exchange.first(CLIENT_FIRST) == SERVER_FIRST
    assert exchange.final(CLIENT_FINAL) == SERVER_FINAL


@pytest.mark.parametrize(
    "password",
    [
        "pencil",
        "a b,c=d$e:f",
        "IX",
        "I\u00adX",
        "\u00aa",
        "\u2168",
        "\u0007",
        "\u0627\u0031",
        "pässwörd",
        "密码",
        "x" * 200,
    ],
)
def test_a_verifier_is_the_one_that_libpq_makes(password):
    libpq = psycopg.pq.PGconn.connect_start(b"host=127.0.0.1 port=1")
    theirs = libpq.encrypt_password(password.encode(), b"user", b"scram-sha-256").decode()
    libpq.finish()
    parsed = Verifier.parse(theirs)
    assert make_verifier(Sensitive(password), parsed.iterations, salt=parsed.salt) == theirs
    assert str(parsed) == theirs


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        # What the profile forbids stays as it is, as in PostgreSQL.
        ("\u0627\u0031", "\u0627\u0031"),
        ("\u00ad", "\u00ad"),
        ("\U000e0001x", "\U000e0001x"),
        ("\u0627\u0031\u0628", "\u0627\u0031\u0628"),
    ],
)
def test_saslprep_follows_rfc_4013_section_3(text, prepared):
    assert saslprep(text) == prepared


def test_two_verifiers_of_one_password_differ():
    assert make_verifier(Sensitive("x")) != make_verifier(Sensitive("x"))


def test_the_repr_of_a_verifier_shows_no_key():
    parsed = Verifier.parse(PENCIL)
    assert repr(parsed.stored_key) not in repr(parsed)


@settings(max_examples=25)
@given(
    password=st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), max_size=40), user=st.text(max_size=9)
)
def test_the_right_password_is_accepted_and_proves_the_server(password, user):
    first = b"n,,n=,r=clientnonce"
    exchange = ScramServer(make_verifier(Sensitive(password), 2), user=user)
    final, expected = answer(password, first, exchange.first(first))
    assert exchange.final(final) == expected


def test_a_final_message_may_have_extensions_that_are_ignored():
    exchange = server()
    final, expected = answer("pencil", CLIENT_FIRST, exchange.first(CLIENT_FIRST), drop=",x=ignored")
    assert exchange.final(final) == expected


@pytest.mark.parametrize(
    "verifier", [PENCIL, None, "md5d41d8cd98f00b204e9800998ecf8427e", "", "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA"]
)
def test_a_wrong_password_and_a_user_without_one_fail_alike(verifier):
    exchange = server(verifier)
    final, _ = answer("wrong", CLIENT_FIRST, exchange.first(CLIENT_FIRST))
    with pytest.raises(InvalidPassword, match=r'^password authentication failed for user "user"$'):
        exchange.final(final)


def test_nobody_can_log_in_as_a_user_who_does_not_exist_even_with_the_mock_key():
    exchange = server(None, mock_key=b"m" * 32)
    first = exchange.first(CLIENT_FIRST)
    # A proof for the mock stored key itself cannot be made without its preimage; any other must fail.
    for password in ("", "user", "stored"):
        final, _ = answer(password, CLIENT_FIRST, first)
        with pytest.raises(InvalidPassword):
            exchange.final(final)


def test_a_made_up_verifier_is_refused_even_if_a_proof_should_fit_it(monkeypatch):
    monkeypatch.setattr(scram, "_verifier_of", lambda *_: (Verifier.parse(PENCIL), False))
    exchange = server(None)
    exchange.first(CLIENT_FIRST)
    with pytest.raises(InvalidPassword):
        exchange.final(CLIENT_FINAL)


def test_an_unknown_user_always_gets_the_same_salt_and_each_name_another():
    def salt(user: str, key: bytes = b"m" * 32) -> bytes:
        return server(None, user=user, mock_key=key).first(CLIENT_FIRST).split(b",s=")[1]

    assert salt("a") == salt("a")
    assert len({salt("a"), salt("b"), salt("a", b"n" * 32)}) == 3
    assert len(salt("a")) == len(SERVER_FIRST.split(b",s=")[1])


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n",
        b"n,,",
        b"n,,n=user",
        b"n,,n=user,r=",
        b"n,,r=abc",
        b"n,,r=abc,n=user",
        b"n,,m=ext,n=user,r=abc",
        b"n,a=other,n=user,r=abc",
        b"x,,n=user,r=abc",
        b"n,,n=user,r=a\x7fb",
        b"n,,n=user,r=a b",
        "n,,n=user,r=ä".encode(),
        b"n,,n=us\0er,r=abc",
        b"n,,n=\xff,r=abc",
        b"p=tls-unique,,n=user,r=abc",
        b"p=tls-server-end-point,,n=user,r=abc",
    ],
)
def test_a_malformed_first_message_is_refused(first):
    with pytest.raises(ProtocolViolation):
        server().first(first)


NONCE = "rOprNGfwEbeRWgbNEkqO" + SERVER_NONCE


@pytest.mark.parametrize(
    "final",
    [
        b"",
        b"c=biws",
        f"c=biws,r={NONCE}".encode(),
        f"c=biws,r={NONCE},p=".encode(),
        f"c=biws,r={NONCE},p=AAAA".encode(),
        f"c=biws,r={NONCE},p=%%%".encode(),
        f"c=eSws,r={NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode(),
        f"c=biws,r={NONCE}x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode(),
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=biws,r=ä,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode(),
        f"r={NONCE},c=biws,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode(),
        CLIENT_FINAL + b"\0",
        b"\xff" + CLIENT_FINAL,
    ],
)
def test_a_malformed_final_message_is_refused(final):
    exchange = server()
    exchange.first(CLIENT_FIRST)
    with pytest.raises(ProtocolViolation):
        exchange.final(final)


@given(first=st.binary(max_size=60), final=st.binary(max_size=200))
def test_no_bytes_cause_anything_but_the_two_errors(first, final):
    for prefix in (b"", b"n,,n=,r="):
        exchange = server()
        try:
            exchange.first(prefix + first)
            exchange.final(final)
        except (ProtocolViolation, InvalidPassword):
            continue
        pytest.fail("random bytes logged in")


def test_messages_out_of_order_are_refused():
    with pytest.raises(ProtocolViolation):
        server().final(CLIENT_FINAL)
    exchange = server()
    exchange.first(CLIENT_FIRST)
    with pytest.raises(ProtocolViolation):
        exchange.first(CLIENT_FIRST)


# --- channel binding -------------------------------------------------------------------------------------------------

HASH = b"certificate-hash-of-32-bytes....."
BOUND_FIRST = b"p=tls-server-end-point,,n=,r=abc"


def test_a_login_bound_to_the_certificate_is_accepted():
    exchange = server(mechanism=MECHANISM_PLUS, channel_binding=HASH)
    final, expected = answer("pencil", BOUND_FIRST, exchange.first(BOUND_FIRST), binding=HASH)
    assert exchange.final(final) == expected


@pytest.mark.parametrize("binding", [b"", b"another certificate", HASH + b"x"])
def test_a_login_bound_to_another_certificate_is_refused(binding):
    exchange = server(mechanism=MECHANISM_PLUS, channel_binding=HASH)
    final, _ = answer("pencil", BOUND_FIRST, exchange.first(BOUND_FIRST), binding=binding)
    with pytest.raises(ProtocolViolation):
        exchange.final(final)


@pytest.mark.parametrize("flag", [b"n", b"y"])
def test_the_plus_mechanism_without_binding_is_refused(flag):
    with pytest.raises(ProtocolViolation):
        server(mechanism=MECHANISM_PLUS, channel_binding=HASH).first(flag + b",,n=,r=abc")


def test_a_client_that_was_told_that_binding_is_not_offered_although_it_is_uncovers_a_man_in_the_middle():
    with pytest.raises(ProtocolViolation, match="negotiation error"):
        server(channel_binding=HASH).first(b"y,,n=,r=abc")


def test_y_is_right_where_binding_is_not_offered_and_n_always():
    for flag, offered in ((b"y", None), (b"n", None), (b"n", HASH)):
        first = flag + b",,n=,r=abc"
        exchange = server(channel_binding=offered)
        final, expected = answer("pencil", first, exchange.first(first))
        assert exchange.final(final) == expected


@pytest.mark.parametrize(("mechanism", "binding"), [(MECHANISM_PLUS, None), ("SCRAM-SHA-1", HASH), ("", None)])
def test_a_mechanism_that_was_not_offered_is_refused(mechanism, binding):
    with pytest.raises(ProtocolViolation):
        server(mechanism=mechanism, channel_binding=binding)


# --- a real client ---------------------------------------------------------------------------------------------------


def _exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = stream.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def _login(listener: socket.socket, verifier: str | None) -> None:
    """Serve one PostgreSQL login, as plainly as possible, then hang up."""
    stream, _ = listener.accept()

    def message() -> bytes:
        head = _exactly(stream, 5)
        return _exactly(stream, struct.unpack("!i", head[1:])[0] - 4)

    def authentication(code: int, data: bytes = b"") -> None:
        stream.sendall(b"R" + struct.pack("!ii", 8 + len(data), code) + data)

    with stream:
        _exactly(stream, struct.unpack("!i", _exactly(stream, 4))[0] - 4)
        authentication(10, b"SCRAM-SHA-256\0\0")
        mechanism, _, rest = message().partition(b"\0")
        exchange = ScramServer(verifier, user="joe", mechanism=mechanism.decode())
        authentication(11, exchange.first(rest[4:]))
        try:
            proof = exchange.final(message())
        except InvalidPassword as error:
            body = b"SFATAL\0VFATAL\0C" + error.sqlstate.encode() + b"\0M" + error.message.encode() + b"\0\0"
            stream.sendall(b"E" + struct.pack("!i", 4 + len(body)) + body)
            return
        authentication(12, proof)
        authentication(0)
        stream.sendall(b"Z" + struct.pack("!i", 5) + b"I")
        message()  # Terminate


@pytest.mark.parametrize(
    ("verifier", "password", "accepted"),
    [
        (make_verifier(Sensitive("I\u00adX, ü!")), "IX, ü!", True),
        (make_verifier(Sensitive("right")), "right", True),
        (make_verifier(Sensitive("right")), "wrong", False),
        (None, "any", False),
    ],
)
def test_libpq_logs_in_with_the_right_password_only(verifier, password, accepted):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_login, args=(listener, verifier))
        thread.start()
        parameters = {
            "host": "127.0.0.1",
            "port": listener.getsockname()[1],
            "user": "joe",
            "password": password,
            "sslmode": "disable",
            "gssencmode": "disable",
            "require_auth": "scram-sha-256",
        }
        try:
            if accepted:
                psycopg.connect(**parameters).close()
            else:
                with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "joe"'):
                    psycopg.connect(**parameters)
        finally:
            thread.join(10)
        assert not thread.is_alive()
