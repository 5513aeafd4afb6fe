"""No secret comes back over MySQL's protocol: planted through statements and their errors, searched in every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymysql
import pytest
from pymysql.constants import CLIENT

from tests.security.needles import Needles
from tests.services.gateway import ADMINISTRATOR, Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

# {0} is the secret. Those with a mark end in an error.
_STATEMENTS = [
    ("ok", "CREATE SECRET one AS '{0}'"),
    ("error", "CREATE SECRET one AS '{0}'"),
    ("error", "CREATE SECRET two AS '{0}' nonsense"),
    ("error", "CREATE SECRT two AS '{0}'"),
    ("error", "CREATE SECRET two AS '{0}"),
    ("error", "CREATE SECRET two AS '{0}' /* open"),
    ("error", "CREATE SECRET two AS '{0}' /*! executed */"),
    ("error", "CREATE SECRET two AS _latin1'{0}'"),
    ("error", "CREATE SECRET two AS '{0}'; SELECT nope"),
    ("error", "CREATE CONNECTION c TO AWS (ACCESS KEY ID = 'AKIA', SECRET ACCESS KEY = '{0}')"),
    ("ok", "CREATE CONNECTION c STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'AKIA' SECRET_ACCESS_KEY = '{0}'"),
    ("error", "CREATE CONNECTION d TO AWS (ACCESS KEY ID = 'AKIA', SECRET ACCESS KEE = '{0}')"),
    ("ok", "SHOW CREATE CONNECTION c"),
    ("ok", "SHOW CONNECTIONS"),
    ("error", "CREATE USER u PASSWORD '{0}' nonsense"),
    ("ok", "CREATE USER u PASSWORD '{0}'"),
    ("error", "SET dialect = '{0}'"),
    ("ok", "SET dialect = 'singlestore'"),
    ("ok", """CREATE LINK l AS S3 CREDENTIALS '{{"aws_secret_access_key": "{0}", "aws_access_key_id": "A"}}'"""),
    ("error", """CREATE LINK m AS S3 CREDENTIALS '{{"aws_secret_access_key": "{0}", """),
    ("ok", "SHOW LINKS"),
    ("ok", "SHOW PROCESSLIST"),
    ("ok", "SHOW WARNINGS"),
    ("ok", "SHOW VARIABLES"),
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    one = Gateway(
        tmp_path_factory.mktemp("gateway"),
        arguments=("--mysql", "127.0.0.1:0"),
        env={"FAIRLEAD_LOG_LEVEL": "debug"},
    )
    try:
        yield one.start()
    finally:
        one.end()


def _answers(connection: pymysql.connections.Connection[Any], text: str) -> tuple[str, str]:
    """Return how a text ended, and everything that came back."""
    found: list[Any] = []
    try:
        with connection.cursor() as cursor:
            cursor.execute(text)
            found += [cursor.description, cursor.fetchall()]
            while cursor.nextset():
                found += [cursor.description, cursor.fetchall()]
    except pymysql.MySQLError as error:
        return "error", str([*found, error.args])
    return "ok", str(found)


def test_no_answer_and_no_log_holds_a_secret_that_was_planted(gateway: Gateway):
    needles = Needles()
    needles.know(gateway.password)
    host, port = gateway.mysql
    connection = pymysql.connect(
        host=host,
        port=port,
        user=ADMINISTRATOR,
        password=gateway.password,
        ssl_ca=str(gateway.certificate),
        client_flag=CLIENT.MULTI_STATEMENTS,
        autocommit=True,
    )
    ends, leaked = [], []
    with connection:
        for how, statement in _STATEMENTS:
            ended, answer = _answers(connection, statement.format(needles.plain_canary(statement)))
            ends.append((statement, ended == how))
            leaked += [(statement, finding) for finding in needles.search(answer.encode())]
    for password in (needles.plain_canary("password"), needles.plain_canary("user")):
        with pytest.raises(pymysql.MySQLError) as refused:
            pymysql.connect(host=host, port=port, user="nobody", password=password, ssl_ca=str(gateway.certificate))
        leaked += [("login", finding) for finding in needles.search(str(refused.value.args).encode())]
    assert leaked == []
    assert needles.search(gateway.log.encode()) == []
    assert [statement for statement, told in ends if not told] == []
