"""The gateway put together: opens the data directory, starts engine and egress, and gives sessions to the listeners."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING

import structlog

from fairlead.access.access import Access
from fairlead.access.bootstrap import ensure_superuser
from fairlead.access.ledger import Ledger, LedgerEvent, UseLedger
from fairlead.catalog.catalog import Catalog
from fairlead.catalog.datadir import lock_data_directory
from fairlead.clock import SystemClock
from fairlead.commands import reconciling
from fairlead.commands.house import House
from fairlead.commands.introspection.names import VOCABULARY
from fairlead.commands.shapes import Shapes
from fairlead.commands.warehouses import Warehouses
from fairlead.context import DEFAULT_DATABASE
from fairlead.dialects import names
from fairlead.dialects.stored import store_of
from fairlead.egress.egress import Egress
from fairlead.egress.journal import FILE_NAME, Journal
from fairlead.egress.resolver import Resolver
from fairlead.engine.engine import Engine
from fairlead.engine.lake.lakes import Lakes
from fairlead.engine.planner import Planner
from fairlead.errors import TooManyConnections
from fairlead.observer import NOBODY
from fairlead.sensitive import Sensitive
from fairlead.session.session import Session
from fairlead.vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.config import Settings
    from fairlead.engine.api import LayerStatus, WorkerCounts
    from fairlead.engine.session import EngineSession
    from fairlead.observer import Observer

_log = structlog.get_logger("fairlead")


class Gateway:
    """Everything behind the listeners.

    Args:
        settings: of this gateway.
        observer: is told what it does.

    Raises:
        ConfigurationError: the data directory cannot be used, or a required layer is not possible.
    """

    def __init__(self, settings: Settings, observer: Observer = NOBODY) -> None:
        self._observer = observer
        self.settings = settings
        self._stack = ExitStack()
        self._stack.enter_context(lock_data_directory(settings.data))
        clock = SystemClock()
        catalog = Catalog.open(settings.data, clock=clock)
        self._stack.callback(catalog.close)
        with catalog.read() as snapshot:
            in_use = snapshot.in_use()
        vault = Vault.open(settings.data, in_use=in_use)
        access = Access(catalog, store_of)
        ledger = Ledger(catalog, vault.ledger_key(), scrub=vault.scrubber.scrub)
        resolver = Resolver(catalog, vault)
        self._warehouses = Warehouses(catalog, access)
        egress = Egress(
            rules=self._warehouses.rules,
            target=resolver.target,
            version=resolver.version,
            ledger=UseLedger(ledger),
            settings=settings.egress,
            journal=Journal(settings.data / FILE_NAME),
            observer=observer,
        )
        self._stack.callback(egress.stop)
        self._engine = Engine(settings, on_listener=egress.serve)
        lakes = Lakes(
            settings.data,
            self._writer,
            storage_of=self._warehouses.storage_of,
            settings=settings.care,
            egress=egress,
            observer=observer,
        )
        shapes = Shapes(catalog, lakes)
        self.house = House(
            *(settings, clock, catalog, vault, access, ledger, resolver, egress, lakes),
            columns_of=shapes.columns_of,
            shape_of=shapes.shape_of,
            activity=lambda: [session.activity() for session in self._sessions],
            observer=observer,
            comments_in=shapes.comments_in,
        )
        self._planner = Planner(catalog, access, hygiene=settings.layers.statements != "off", vocabulary=VOCABULARY)
        password = settings.admin_password
        given = Sensitive(password.get_secret_value()) if password is not None else None
        self.generated_password = ensure_superuser(catalog, ledger, given)
        self._sessions: set[Session] = set()

    async def start(self) -> None:
        """Start the engine and its workers."""
        await self._engine.start()
        self.house.egress.sweep()
        await self.house.lakes.start()
        await reconciling.reconcile(self.house)

    async def stop(self) -> None:
        """End every session, the workers and the store proxy."""
        await asyncio.gather(*(session.close() for session in list(self._sessions)), return_exceptions=True)
        await self.house.lakes.stop()
        await self._engine.stop()
        self._stack.close()

    async def _writer(self) -> EngineSession:
        """Return the writer of tables, with its door open."""
        writer = await self._engine.writer()
        self._warehouses.open_door(self.house.egress, writer)
        return writer

    def layers(self) -> tuple[LayerStatus, ...]:
        """Return which protective layers are active."""
        return self._engine.layers()

    def has_workers(self) -> bool:
        """Tell whether sessions would get a worker."""
        return self._engine.zygote_pid is not None

    def workers(self) -> WorkerCounts:
        """Return how many workers there are and were."""
        return self._engine.workers()

    @property
    def session_count(self) -> int:
        """How many sessions are open, whatever their protocol."""
        return len(self._sessions)

    # --- what the listeners ask (server/pgwire/backend.py) -------------------------------------------------------

    async def authenticate_verifier(self, user: str) -> str | None:
        """Return the SCRAM verifier of a user who may log in, None for all others."""
        with self.house.catalog.read() as snapshot:
            role = snapshot.role(user)
        return role.verifier if role is not None and role.login else None

    async def login_failed(self, user: str, client: str, reason: str) -> None:
        """Record a failed login.

        A name that no user has may be a password in the wrong place: it is not written down.
        """
        with self.house.catalog.read() as snapshot:
            known = snapshot.role(user) is not None
        self._observer.login_failed()
        _log.warning("a login failed", user=user if known else "(unknown)", client=client)
        event = LedgerEvent(
            kind="login.failed",
            principal=user if known else "(unknown)",
            session_id="",
            statement_id="",
            action="LOGIN",
            object="gateway",
            detail={"client": client, "reason": reason if known else "password authentication failed"},
        )
        await asyncio.to_thread(self.house.ledger.record, event)

    async def open_session(
        self, *, user: str, database: str | None, parameters: Mapping[str, str], client: str
    ) -> Session:
        """Open a session for a user who has proved who they are.

        Raises:
            InvalidCatalogName: the database does not exist.
            TooManyConnections: the user has as many sessions as a user may have.
        """
        with self.house.catalog.read() as snapshot:
            # Where no database is named, psql and libpq ask for one that is called like the user.
            wanted = DEFAULT_DATABASE if not database or database == user else database
            current = names.database(snapshot, wanted)
            role = names.role(snapshot, user)
        user = role.name  # as it is stored, in whatever case it was typed
        limit = self.settings.worker.max_sessions_per_user
        if limit and not role.superuser and sum(session.user == user for session in self._sessions) >= limit:
            message = f'too many connections for role "{user}"'
            raise TooManyConnections(message, hint=f"close some; a user may have {limit} sessions")
        session = Session(
            self.house,
            self._engine,
            self._planner,
            user=user,
            database=current.name,
            application=parameters.get("application_name", ""),
            client=client,
        )
        session.configure("statement_timeout", str(int(self.settings.statement_timeout * 1000)))
        for name, value in parameters.items():
            if name not in ("user", "database", "application_name", "options", "replication"):
                session.configure(name, value)
        event = LedgerEvent(
            kind="login",
            principal=user,
            session_id=session.id,
            statement_id="",
            action="LOGIN",
            object="gateway",
            detail={"client": client},
        )
        await asyncio.to_thread(self.house.ledger.record, event)
        self._sessions.add(session)
        name = session.context().application
        _log.debug("a session begins", session=session.id, user=user, client=client, application=name)
        return session

    async def close_session(self, session: Session) -> None:
        """End a session."""
        self._sessions.discard(session)
        await session.close()
        _log.debug("a session ended", session=session.id)

    def scrub(self, text: str) -> str:
        """Take every known secret out of a text."""
        return self.house.vault.scrubber.scrub(text)
