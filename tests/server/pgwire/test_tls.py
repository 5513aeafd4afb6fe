from __future__ import annotations

import hashlib
import socket
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from fairlead.clock import SystemClock
from fairlead.config import Settings
from fairlead.errors import ConfigurationError
from fairlead.server.pgwire.tls import CERTIFICATE_FILE, KEY_FILE, ensure_certificate, load_certificate
from tests.services.requirement import require_service


def test_a_certificate_is_made_once_for_its_owner_only(tmp_path):
    settings = Settings(data=tmp_path / "data")
    first, second = ensure_certificate(settings), ensure_certificate(settings)
    assert first.fingerprint == second.fingerprint
    assert first.mock_key == second.mock_key
    assert sorted(path.name for path in settings.data.iterdir()) == [CERTIFICATE_FILE, KEY_FILE]
    for path in settings.data.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_certificate_names_this_machine(tmp_path):
    found = ensure_certificate(Settings(data=tmp_path))
    certificate = x509.load_pem_x509_certificate(found.path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", socket.gethostname()} <= set(names.get_values_for_type(x509.DNSName))
    assert {str(a) for a in names.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "::1"}
    assert isinstance(certificate.public_key().curve, ec.SECP256R1)


def test_the_fingerprint_is_the_one_that_openssl_prints(tmp_path):
    found = ensure_certificate(Settings(data=tmp_path))
    command = ["openssl", "x509", "-in", str(found.path), "-noout", "-fingerprint", "-sha256"]
    require_service("openssl")
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.strip().partition("=")[2] == found.fingerprint


def _write(folder, key, algorithm):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = SystemClock().now()
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now.replace(year=now.year + 1))
    certificate = builder.sign(key, algorithm)
    (folder / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def test_channel_binding_uses_the_hash_of_the_signature(tmp_path):
    der = _write(tmp_path, ec.generate_private_key(ec.SECP384R1()), hashes.SHA384())
    assert load_certificate(tmp_path / "c.pem", tmp_path / "k.pem").end_point == hashlib.sha384(der).digest()
    _write(tmp_path, ed25519.Ed25519PrivateKey.generate(), None)
    assert load_certificate(tmp_path / "c.pem", tmp_path / "k.pem").end_point is None


def test_a_certificate_of_the_settings_goes_before_a_self_made_one(tmp_path):
    der = _write(tmp_path, ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    settings = Settings(data=tmp_path / "data", tls_certificate=tmp_path / "c.pem", tls_key=tmp_path / "k.pem")
    assert ensure_certificate(settings).fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    assert not settings.data.exists()


def test_what_cannot_be_used_is_said_with_its_path(tmp_path):
    _write(tmp_path, ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    with pytest.raises(ConfigurationError, match="together"):
        ensure_certificate(Settings(data=tmp_path, tls_certificate=tmp_path / "c.pem"))
    with pytest.raises(ConfigurationError, match=r"missing\.pem"):
        load_certificate(tmp_path / "missing.pem", tmp_path / "k.pem")
    own = ensure_certificate(Settings(data=tmp_path / "data"))
    with pytest.raises(ConfigurationError, match=r"k\.pem"):
        load_certificate(own.path, tmp_path / "k.pem")
