"""Asking a person for a password, without showing it; never where nobody is there to be asked."""

from __future__ import annotations

import getpass
import os

from fairlead.errors import InvalidPassword
from fairlead.sensitive import Sensitive


def ask_password(question: str) -> Sensitive:
    """Ask on the terminal of this process, wherever its input comes from.

    Args:
        question: what is shown.

    Raises:
        InvalidPassword: there is no terminal.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        message = "a password is needed, and there is no terminal to ask for it"
        raise InvalidPassword(
            message, hint="PGPASSWORD or a password file (PGPASSFILE, ~/.pgpass) can give it"
        ) from None
    return Sensitive(getpass.getpass(question))
