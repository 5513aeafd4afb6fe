"""CREATE, ALTER and DROP of users and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import InvalidParameter
from fairlead.lang.ast import AlterRole, CreateRole, DropRole
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor


def account(cursor: Cursor) -> str:
    """Read a user or role name: an identifier, or ``'user'[@'%']`` as SingleStore writes it.

    Raises:
        InvalidParameter: a host other than ``%``.
    """
    name = cursor.next().text if cursor.token.kind == "string" else cursor.identifier("the name of a user or role")
    if cursor.accept_op("@"):
        token = cursor.token
        if token.kind not in {"string", "quoted"} and not cursor.at_op("%"):
            cursor.fail("'%'")
        cursor.next()
        if token.text != "%":
            raise InvalidParameter("users are not bound to hosts here: write '%' or nothing", position=token.start + 1)
    return name


def create_role(cursor: Cursor, *, login: bool) -> CreateRole:
    """Read what follows CREATE USER or CREATE ROLE."""
    if_not_exists = cursor.flag_if_not_exists()
    name = account(cursor)
    traits = _Traits(cursor, login=login)
    return CreateRole(
        name=name,
        login=traits.login,
        password=traits.password,
        superuser=bool(traits.superuser),
        if_not_exists=if_not_exists,
    )


def alter_role(cursor: Cursor, *, login: bool) -> AlterRole:
    """Read what follows ALTER USER or ALTER ROLE."""
    name = account(cursor)
    rename_to = None
    if cursor.accept("RENAME"):
        cursor.expect("TO")
        rename_to = account(cursor)
        cursor.end()
        return AlterRole(name=name, login=login, rename_to=rename_to)
    traits = _Traits(cursor, login=login)
    if traits.password is None and traits.superuser is None:
        cursor.fail("PASSWORD", "SUPERUSER", "NOSUPERUSER", "RENAME")
    return AlterRole(name=name, login=traits.login, password=traits.password, superuser=traits.superuser)


class _Traits:
    """``[WITH] PASSWORD 'x' SUPERUSER LOGIN ...``, each at most once, up to the end of the statement."""

    def __init__(self, cursor: Cursor, *, login: bool) -> None:
        self.login = login
        self.password: Sensitive | None = None
        self.superuser: bool | None = None
        cursor.accept("WITH")
        while cursor.token.kind != "eof":
            self._one(cursor)

    def _one(self, cursor: Cursor) -> None:
        at = cursor.token
        word = cursor.expect_one("PASSWORD", "IDENTIFIED", "SUPERUSER", "NOSUPERUSER", "LOGIN", "NOLOGIN")
        match word:
            case "PASSWORD" | "IDENTIFIED":
                if word == "IDENTIFIED":
                    cursor.expect("BY")
                else:
                    cursor.accept_op("=")
                if self.password is not None:
                    cursor.fail(message="the password is given twice", token=at)
                self.password = Sensitive(cursor.string("the password in single quotes"))
            case "LOGIN" | "NOLOGIN":
                self.login = word == "LOGIN"
            case _:
                if self.superuser is not None:
                    cursor.fail(message="SUPERUSER or NOSUPERUSER is given twice", token=at)
                self.superuser = word == "SUPERUSER"


def drop_role(cursor: Cursor, *, login: bool) -> DropRole:
    """Read what follows DROP USER or DROP ROLE."""
    if_exists = cursor.flag_if_exists()
    names = cursor.comma_list(lambda: account(cursor))
    cursor.end()
    return DropRole(names=names, login=login, if_exists=if_exists)
