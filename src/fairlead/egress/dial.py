"""Makes connections to the outside: to an address that the policy has just judged, never to a name.

The name is resolved once, every address is judged, and one of exactly these is dialled, so that a name server that
answers differently a moment later changes nothing (no DNS rebinding). TLS is verified against the name.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

from fairlead.errors import StoreUnreachable

if TYPE_CHECKING:
    from fairlead.egress.policy import EgressPolicy


class Dialler:
    """Dials judged addresses.

    Args:
        policy: judges them.
        timeout: seconds for all addresses and the TLS handshake together.
        context: for TLS; the system's authorities if not given.
    """

    def __init__(self, policy: EgressPolicy, timeout: float, *, context: ssl.SSLContext | None = None) -> None:
        self._policy = policy
        self._timeout = timeout
        self._context = context

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """Return the judged addresses of a host. Raises as ``EgressPolicy.addresses``."""
        return self._policy.addresses(host, port)

    def tcp(self, host: str, port: int) -> socket.socket:
        """Return a connected socket; its time-out is what is left.

        Raises:
            DestinationRefused, InvalidParameter: by the policy.
            StoreUnreachable: no address answers.
        """
        deadline = time.monotonic() + self._timeout
        failures: list[str] = []
        for address in self.resolve(host, port):
            left = deadline - time.monotonic()
            if left <= 0:
                failures.append(f"{address}: timed out")
                break
            try:
                sock = socket.create_connection((address, port), timeout=left)
            except TimeoutError:
                failures.append(f"{address}: timed out")
            except OSError as error:
                failures.append(f"{address}: {(error.strerror or 'failed').lower()}")
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
        raise StoreUnreachable(
            f"cannot connect to {host} port {port}",
            detail="; ".join(failures),
            hint="check the endpoint of the connection, and that the store runs",
        )

    def tls(self, host: str, port: int) -> ssl.SSLSocket:
        """Return a connected socket with TLS, the certificate verified for ``host``.

        Raises:
            DestinationRefused, InvalidParameter: by the policy.
            StoreUnreachable: no address answers, or the TLS handshake failed.
        """
        if self._context is None:
            self._context = ssl.create_default_context()
        sock = self.tcp(host, port)
        try:
            return self._context.wrap_socket(sock, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            sock.close()
            raise StoreUnreachable(
                f"the certificate of {host} port {port} is not trusted: {error.verify_message}",
                hint="the certificate must be for this host name and signed by an authority that this machine trusts",
            ) from error
        except OSError as error:
            sock.close()
            reason = error.reason if isinstance(error, ssl.SSLError) and error.reason else "no answer in time"
            raise StoreUnreachable(
                f"the TLS handshake with {host} port {port} failed: {reason.replace('_', ' ').lower()}",
                hint="if the store speaks plain HTTP, the endpoint must begin with http://",
            ) from error
