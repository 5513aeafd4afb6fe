"""``fairlead user reset-admin`` and ``fairlead passwd``: a password is changed, and can be read nowhere."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest

from fairlead.access.ledger import Ledger
from fairlead.catalog.catalog import Catalog
from fairlead.vault.vault import Vault
from tests.cli.terminal import Terminal

NEW = "a new Pässword, 'quoted'"


def fairlead(data, *arguments, given=None):
    return subprocess.run(
        [sys.executable, "-m", "fairlead", *arguments, "--data", str(data)],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=data.parent,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "COLUMNS": "300"},
        check=False,
    )


def test_a_generated_password_opens_the_door_and_the_old_one_does_not(start_gateway):
    gateway = start_gateway()
    gateway.stop()
    done = fairlead(gateway.data, "user", "reset-admin")
    assert (done.returncode, done.stderr) == (0, "")
    old, gateway.password = gateway.password, done.stdout.strip()
    assert len(gateway.password) >= 20
    gateway.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        gateway.connect(password=old)
    with gateway.connect() as admin:
        rows = admin.execute("SHOW LEDGER LIMIT 20").fetchall()
        assert admin.execute("VERIFY LEDGER").fetchone()[1] == "t"
    (row,) = [row for row in rows if row[4] == "RESET PASSWORD"]
    assert row[5] == "role fairlead"
    assert '"by": "' in row[6]


def test_a_given_password_is_one_line_of_standard_input(start_gateway):
    gateway = start_gateway()
    gateway.stop()
    done = fairlead(gateway.data, "user", "reset-admin", "--stdin", given=NEW + "\n")
    assert done.returncode == 0
    assert NEW not in done.stdout + done.stderr
    gateway.password = NEW
    gateway.start()
    assert fairlead(gateway.data, "user", "reset-admin").returncode == 2
    with gateway.connect() as admin:  # what was refused has changed nothing
        assert admin.execute("SELECT 1").fetchone() == (1,)
    content = b"".join(file.read_bytes() for file in gateway.data.glob("catalog.db*"))
    assert NEW.encode() not in content


@pytest.fixture
def data(tmp_path):
    """A catalog with an administrator and a user who is none."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    catalog = Catalog.open(data)
    Ledger(catalog, Vault.open(data, in_use=False).ledger_key())
    with catalog.write() as tx:
        tx.create_role("root", login=True, superuser=True, verifier="v")
        tx.create_role("ann", login=True)
        tx.create_role("owners", login=False, superuser=True)
    catalog.close()
    return data


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        (["--user", "nobody"], None, 'user "nobody" does not exist'),
        (["--user", "ann"], None, '"ann" is not an administrator who logs in'),
        (["--user", "owners"], None, '"owners" is not an administrator who logs in'),
        (["--user", "root", "--stdin"], "\n", "the password is empty"),
    ],
)
def test_what_cannot_be_reset_is_refused_and_says_who_could(data, arguments, given, words):
    before = (data / "catalog.db").read_bytes()
    done = fairlead(data, "user", "reset-admin", *arguments, given=given)
    assert done.returncode == 2
    assert words in done.stderr
    assert "hint: " in done.stderr
    assert (data / "catalog.db").read_bytes() == before
    if given is None:
        assert "those who can: root" in done.stderr


def test_without_a_catalog_nothing_is_made(tmp_path):
    (tmp_path / "data").mkdir()
    done = fairlead(tmp_path / "data", "user", "reset-admin")
    assert done.returncode == 2
    assert "there is no catalog" in done.stderr
    assert list((tmp_path / "data").iterdir()) == []


def passwd(gateway, tmp_path, *arguments, user="fairlead"):
    host, port = gateway.address
    return Terminal(
        [sys.executable, "-m", "fairlead", "passwd", f"postgresql://{user}@{host}:{port}/main", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        cwd=tmp_path,
    )


def test_passwd_changes_one_s_own_password_and_sends_only_its_verifier(start_gateway, tmp_path):
    gateway = start_gateway(env={"FAIRLEAD_LOG_LEVEL": "debug"})
    terminal = passwd(gateway, tmp_path)
    try:
        terminal.wait_for("Password for fairlead: ")
        terminal.ask(gateway.password + "\n", "New password for fairlead: ")
        terminal.ask(NEW + "\n", "Once more: ")
        terminal.ask(NEW + "\n", "was changed")
        assert terminal.end() == 0
        assert NEW not in terminal.shown
        assert gateway.password not in terminal.shown
    finally:
        terminal.close()
    gateway.connect(password=NEW).close()
    assert NEW not in gateway.log
    content = b"".join(file.read_bytes() for file in gateway.data.glob("catalog.db*"))
    assert NEW.encode() not in content


def test_passwd_changes_nothing_when_the_two_differ_or_the_login_fails(gateway, tmp_path):
    terminal = passwd(gateway, tmp_path)
    try:
        terminal.wait_for("Password for fairlead: ")
        terminal.ask(gateway.password + "\n", "New password for fairlead: ")
        terminal.ask("one\n", "Once more: ")
        terminal.ask("two\n", "the two passwords differ")
        assert terminal.end() == 2
    finally:
        terminal.close()
    terminal = passwd(gateway, tmp_path)
    try:
        terminal.wait_for("Password for fairlead: ")
        terminal.ask("wrong\n", "password authentication failed")
        assert terminal.end() == 2
    finally:
        terminal.close()
    gateway.connect().close()


def test_an_administrator_changes_somebody_else_s(gateway, tmp_path):
    with gateway.connect() as admin:
        admin.execute("""CREATE USER "An ""odd"" name" PASSWORD 'first'""")
    terminal = passwd(gateway, tmp_path, "--user", 'An "odd" name')
    try:
        terminal.wait_for("Password for fairlead: ")
        terminal.ask(gateway.password + "\n", "New password for An")
        terminal.ask(NEW + "\n", "Once more: ")
        terminal.ask(NEW + "\n", "was changed")
        assert terminal.end() == 0
    finally:
        terminal.close()
    gateway.connect('An "odd" name', NEW).close()


def test_a_verifier_is_taken_as_it_is_and_a_weak_one_refused(gateway):
    with gateway.connect() as admin:
        verifier = admin.pgconn.encrypt_password(b"made by the client", b"bea", b"scram-sha-256").decode()
        admin.execute(f"CREATE USER bea PASSWORD '{verifier}'")
        gateway.connect("bea", "made by the client").close()
        for iterations in ("1", "999999999"):
            weak = verifier.replace("$4096:", f"${iterations}:")
            with pytest.raises(psycopg.Error) as caught:
                admin.execute(f"ALTER USER bea PASSWORD '{weak}'")
            assert caught.value.sqlstate == "22023"
            assert verifier.split("$")[2] not in str(caught.value)
        assert admin.execute("SHOW password_encryption").fetchone() == ("scram-sha-256",)
    gateway.connect("bea", "made by the client").close()


def test_a_password_in_the_connection_string_is_refused(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fairlead", "passwd", "postgresql://u:hunter2hunter2@127.0.0.1:1/main"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "COLUMNS": "300"},
        check=False,
    )
    assert done.returncode == 2
    assert "holds a password" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
