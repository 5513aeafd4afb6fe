"""The prompt: editing over several lines until a semicolon, highlighting, completion, history."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import PostgresLexer  # type: ignore[import-untyped]  # ships no types

from fairlead.cli.shell import names
from fairlead.cli.shell.completing import Completing
from fairlead.cli.shell.history import SafeHistory, history_file
from fairlead.cli.shell.reading import is_complete
from fairlead.cli.shell.running import Lost
from fairlead.cli.shell.shell import Leave, Shell
from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from prompt_toolkit.history import History
    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.output import Output


class Prompt:
    """Reads what a person types, and has the shell run it.

    Args:
        shell: runs it.
        history: None = the user's file.
        keys: where keys come from, None = the terminal.
        screen: where the prompt is drawn, None = the terminal.
    """

    def __init__(
        self, shell: Shell, *, history: History | None = None, keys: Input | None = None, screen: Output | None = None
    ) -> None:
        self._shell = shell
        self._history = SafeHistory(history_file()) if history is None else history
        self._asking: threading.Thread | None = None
        self._session: PromptSession[str] = PromptSession(
            history=self._history,
            completer=Completing(lambda: shell.known),
            complete_while_typing=True,
            complete_in_thread=True,
            lexer=PygmentsLexer(PostgresLexer),
            key_bindings=self._bindings(),
            multiline=True,
            prompt_continuation=lambda width, _number, _soft: "-> ".rjust(width),
            enable_open_in_editor=True,
            input=keys,
            output=screen,
        )

    def run(self) -> None:
        """Read and run until the user leaves.

        Raises:
            Lost: the connection has ended.
        """
        try:
            while self._one():
                pass
        finally:
            self._finish_asking()

    def _one(self) -> bool:
        """Read and run once; False when the user leaves."""
        try:
            text = self._read()
        except KeyboardInterrupt:  # what was typed is dropped
            return True
        except EOFError:
            return False
        try:
            self._shell.run(text, stop=False)
        except Leave:
            return False
        return True

    def _read(self) -> str:
        if isinstance(self._history, SafeHistory):
            self._history.dialect = self._shell.dialect
        self._refresh()
        info = self._shell.runner.connection.info
        return self._session.prompt(f"{info.user}@{info.host}{self._shell.runner.status}=> ")

    def _refresh(self) -> None:
        """Ask for the names beside the prompt; not inside a transaction, which an error would end."""
        if self._shell.stale and not self._shell.runner.status:
            self._shell.stale = False
            self._finish_asking()
            self._asking = threading.Thread(target=self._ask, name="names", daemon=True)
            self._asking.start()

    def _finish_asking(self) -> None:
        """Wait for the question that is under way: a connection that is closed beneath it would end the process."""
        if self._asking is not None:
            self._asking.join()

    def _ask(self) -> None:
        try:
            self._shell.known = names.ask(self._shell.runner)
        except (Lost, FairleadError):  # the next statement tells the user
            self._shell.stale = True

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()

        @Condition
        def ends_here() -> bool:
            buffer = self._session.default_buffer
            completing = buffer.complete_state is not None and buffer.complete_state.current_completion is not None
            return not completing and is_complete(buffer.text, self._shell.dialect)

        @bindings.add("enter", filter=ends_here)
        def _enter(event: KeyPressEvent) -> None:
            event.current_buffer.validate_and_handle()

        return bindings
