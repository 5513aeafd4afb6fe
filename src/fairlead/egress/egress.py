"""The only door out, put together: doors for workers, listings and checks for the gateway itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.access.rules import Action
from fairlead.egress import listing
from fairlead.egress.claims import Claims
from fairlead.egress.delivery import Delivery, delete
from fairlead.egress.dial import Dialler
from fairlead.egress.door import Alias
from fairlead.egress.doors import Doors
from fairlead.egress.exchange import Rights
from fairlead.egress.grants import route
from fairlead.egress.journal import Journal
from fairlead.egress.paths import BadPath, Place, check_key
from fairlead.egress.policy import EgressPolicy
from fairlead.egress.probe import StoreProbe
from fairlead.egress.proxy import Proxy
from fairlead.egress.statement import Statement
from fairlead.egress.stores import Stores
from fairlead.egress.sweeper import Sweeper
from fairlead.errors import InvalidParameter, PermissionDenied
from fairlead.observer import NOBODY

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    from fairlead.access.rules import Rule
    from fairlead.config import EgressSettings
    from fairlead.context import Context, Principal
    from fairlead.egress.door import Door, ListedObject, ResolvedTarget, StatementUse, UseLedger
    from fairlead.egress.policy import Resolve
    from fairlead.egress.shipment import Shipment
    from fairlead.observer import Observer


class Egress:
    """Everything that leaves the gateway for an object store passes here.

    Args:
        rules: of a principal, in force now; asked on every request, so it must be cheap.
        target: opens a connection; called only after the row in the ledger is written.
        version: of a connection, changes with any ALTER or rotation; asked on every request, opens no secret.
        ledger: takes the rows.
        settings: policy and time limits.
        resolve: gives the addresses of a name; the system's resolver if not given.
        tls: trusted authorities; the system's if not given.
        journal: of open uploads; one in memory if not given.
        observer: is told of requests.

    Raises:
        ConfigurationError: an entry of the policy is not a destination.
    """

    def __init__(
        self,
        *,
        rules: Callable[[Principal], tuple[Rule, ...]],
        target: Callable[[int], ResolvedTarget],
        version: Callable[[int], str],
        ledger: UseLedger,
        settings: EgressSettings,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        journal: Journal | None = None,
        observer: Observer = NOBODY,
    ) -> None:
        self._rules = rules
        self._version = version
        self._ledger = ledger
        self._timeout = settings.request_timeout
        self._dialler = Dialler(EgressPolicy(settings, resolve=resolve), settings.connect_timeout, context=tls)
        self._stores = Stores(target, self._dialler, self._timeout)
        self._journal = journal or Journal()
        self._claims = Claims()
        self._sweeper = Sweeper(self._journal, self._claims, self._stores, version, ledger)
        self._journal.on_release = self._sweeper.poke
        self._doors = Doors(ledger, self._journal)
        self._own = Rights(rules, version, self._stores)
        self._proxy = Proxy(self._doors, self._own, self._timeout, observer=observer)

    def serve(self, listener: socket.socket) -> None:
        """Serve workers on a listening socket; may be called again with another one."""
        self._proxy.serve(listener)

    def sweep(self) -> None:
        """Begin to clear away what an earlier process, or a statement whose store was away, has left in stores."""
        self._sweeper.start()

    def stop(self) -> None:
        """End everything: doors, connections, clients."""
        self._proxy.stop()
        self._doors.close_all()
        self._sweeper.stop()
        self._stores.close()
        self._journal.close()

    def open_door(self, door: Door) -> None:
        """Let a worker's requests in."""
        self._doors.open(door)

    def close_door(self, key_id: str) -> None:
        """Shut a worker out and cut its connections; may wait for its statement to end."""
        self._doors.close(key_id)

    def statement_begin(self, key_id: str, shipment: Shipment | None = None) -> None:
        """Begin a statement: requests are accepted from now on.

        Args:
            key_id: of the door.
            shipment: holds back what the worker writes until ``deliver``.

        Raises:
            ObjectInUse: another export writes to the same path.
        """
        if shipment is not None and shipment.target is not None:
            path = shipment.target.path
            self._claims.take(path)
            shipment.release = lambda: self._claims.give_back(path)
        self._doors.begin(key_id, shipment)

    def delivery(self, key_id: str) -> Delivery:
        """Return what prepares and ends the running statement's shipment."""
        found = self._doors.find(key_id)
        shipment = found.statement.shipment if found is not None else None
        if found is None or shipment is None:
            message = "the statement has ended"
            raise PermissionDenied(message)
        return Delivery(shipment, found.statement, found.door, self._own)

    def bytes_written(self, key_id: str) -> int:
        """Return how many bytes the running statement has sent to stores so far."""
        found = self._doors.find(key_id)
        return 0 if found is None else found.bytes_written

    def statement_end(self, key_id: str, outcome: str) -> StatementUse:
        """End the statement: requests are refused from now on, open uploads aborted, accounts written. May block.

        Args:
            key_id: of the door.
            outcome: ``ok`` or how it failed.
        """
        return self._doors.end(key_id, outcome)

    def untouched(self, key_id: str) -> bool:
        """Whether the running statement has asked for nothing, so that ``statement_end`` cannot block."""
        return self._doors.untouched(key_id)

    def remove(self, key_id: str, connection_id: int, bucket: str, keys: Iterable[str]) -> None:
        """Delete objects for the statement that runs at a door; one that is not there is no error. Blocks.

        Args:
            key_id: of the door.
            connection_id: through which connection.
            bucket: real name.
            keys: of the objects.

        Raises:
            PermissionDenied: no statement runs, or no rule of its principal allows it.
            LedgerUnavailable, FairleadError: as for a worker's request.
        """
        found = self._doors.find(key_id)
        if found is None:
            raise PermissionDenied("the statement has ended")
        for key in keys:
            place, principal = Place(bucket, key), found.door.principal()
            client = self._own.admit_own(connection_id, place, Action.DELETE, principal, found.statement)[-1]
            delete(client, place)

    def list(
        self, context: Context, connection_id: int, bucket: str, prefix: str, *, action: Action = Action.LIST
    ) -> Iterator[ListedObject]:
        """Yield the objects below a prefix, recorded as a statement's use of the connection.

        Args:
            context: of the statement.
            connection_id: through which connection.
            bucket: real name.
            prefix: of keys.
            action: the right that is needed.

        Raises:
            PermissionDenied: no rule of the principal allows it.
            InvalidParameter: the prefix is not a plain path.
            LedgerUnavailable, FairleadError: as for a worker's request.
        """
        try:
            check_key(prefix)
        except BadPath as error:
            raise InvalidParameter(f"s3://{bucket}/{prefix}: {error}") from error
        aliases = {bucket: Alias(connection_id, bucket)}
        statement = Statement(lambda: context, self._ledger, self._journal)
        outcome = "failed"
        try:
            found = route(Place(bucket, prefix), action, self._rules(context.principal), aliases)
            version = self._version(connection_id)
            use = statement.use(found, action, version)
            connection, client = self._stores.client(connection_id, version)
            for size, objects in listing.pages(client, connection, bucket, prefix):
                use.bytes_read += size
                yield from (one for one in objects if found.rule.shows(bucket, one.key))
            outcome = "ok"
        except GeneratorExit:
            outcome = "closed"  # nobody wants more
            raise
        finally:
            statement.end(outcome)

    def probe(self, connection_id: int) -> StoreProbe:
        """Return the means of a connection's checks. Callers have written the ledger."""
        del connection_id  # each check says itself where it goes; the policy is the same for all
        return StoreProbe(self._dialler, self._timeout)
