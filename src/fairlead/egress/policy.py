"""The egress policy: which hosts and addresses connections may lead to.

Addresses of the machine's own neighbourhood that nobody stores data at (link-local, cloud metadata, multicast,
unspecified) are refused whatever the settings say. Names are judged before they are resolved, every address that they
resolve to is judged after, and every spelling of an address is brought to one form before it is judged.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.errors import ConfigurationError, DestinationRefused, InvalidParameter, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fairlead.config import EgressSettings

    Resolve = Callable[[str, int], Iterable[str]]

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_NEVER: Final = tuple(
    (ipaddress.ip_network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified address"),
        ("::/128", "an unspecified address"),
        ("169.254.0.0/16", "a link-local address"),
        ("fe80::/10", "a link-local address"),
        ("fd00:ec2::/32", "a cloud metadata address"),
        ("fd20:ce::254/128", "a cloud metadata address"),
        ("100.100.100.200/32", "a cloud metadata address"),
        ("168.63.129.16/32", "a cloud metadata address"),
        ("192.0.0.192/32", "a cloud metadata address"),
        ("224.0.0.0/4", "a multicast address"),
        ("ff00::/8", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
    )
)
_NEVER_NAMES: Final = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_NAT64: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMERIC_LABEL = re.compile(r"(0x[0-9a-f]*|[0-9]+)")


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Entries of an allow or deny list."""

    names: frozenset[str]
    suffixes: tuple[str, ...]
    networks: tuple[IpNetwork, ...]

    def __bool__(self) -> bool:
        return bool(self.names or self.suffixes or self.networks)

    def name(self, host: str) -> bool:
        return host in self.names or host.endswith(self.suffixes)

    def address(self, address: IpAddress) -> bool:
        return any(address in network for network in self.networks)


class EgressPolicy:
    """Judges destinations.

    Args:
        settings: the allow and deny lists.
        resolve: gives the addresses of a name; the system's resolver if not given.

    Raises:
        ConfigurationError: an entry is neither a name, a ``*.suffix``, an address nor a network.
    """

    def __init__(self, settings: EgressSettings, *, resolve: Resolve | None = None) -> None:
        self._allow = _patterns(settings.allow, "FAIRLEAD_EGRESS_ALLOW")
        self._deny = _patterns(settings.deny, "FAIRLEAD_EGRESS_DENY")
        self._resolve = resolve or _system_resolve

    def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of a host, all of them judged. Only these may be dialled.

        Args:
            host: a name or an address in any spelling.
            port: for the resolver.

        Raises:
            InvalidParameter: the host is neither a name nor an address.
            DestinationRefused: by name, or by any one of the addresses.
            StoreUnreachable: the name has no address.
        """
        host = plain_host(host)
        self._judge_name(host)
        texts = [host] if _literal(host) is not None else self._resolve(host, port)
        found = [ipaddress.ip_address(text) for text in texts]
        if not found:
            raise StoreUnreachable(f'the name "{host}" has no address')
        for address in found:
            self._judge_address(host, address)
        return tuple(str(_dialled(address)) for address in found)

    def _judge_name(self, host: str) -> None:
        if host in _NEVER_NAMES:
            raise _refused(host, "it names a cloud metadata service")
        if self._deny.name(host):
            raise _refused(host, "the policy denies the name")

    def _judge_address(self, host: str, address: IpAddress) -> None:
        meanings = (address, *embedded(address))
        shown = host if str(address) == host else f"{host} ({address})"
        for meaning in meanings:
            for network, kind in _NEVER:
                if meaning in network:
                    raise _refused(shown, f"it is {kind}")
            if self._deny.address(meaning):
                raise _refused(shown, "the policy denies the address")
        if self._allow and not self._allow.name(host) and not self._allow.address(_dialled(address)):
            raise _refused(shown, "the policy allows only listed destinations")


def plain_host(host: str) -> str:
    """Return the one spelling of a host that is judged: lower case, no trailing dot, addresses in standard form.

    Raises:
        InvalidParameter: it is neither a name nor an address.
    """
    text = host.lower().removesuffix(".")
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    literal = _literal(text)
    if literal is not None:
        return str(literal)
    labels = text.split(".")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        # What the C library takes for an IPv4 address (octal, hexadecimal, fewer than four parts) is one.
        if not all(_NUMERIC_LABEL.fullmatch(label) for label in labels):
            raise _not_a_host(host)
        try:
            return str(ipaddress.IPv4Address(socket.inet_aton(text)))
        except OSError as error:
            raise _not_a_host(host) from error
    if len(text) > 253 or not _NAME.fullmatch(text):  # noqa: PLR2004  # RFC 1035 section 2.3.4
        raise _not_a_host(host)
    return text


def embedded(address: IpAddress) -> tuple[IpAddress, ...]:
    """Return the IPv4 addresses that an IPv6 address stands for (mapped, compatible, 6to4, Teredo, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found: list[IpAddress] = []
    if address.ipv4_mapped is not None:
        found.append(address.ipv4_mapped)
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 1):
        found.append(low)
    return tuple(found)


def _dialled(address: IpAddress) -> IpAddress:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _literal(text: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(text) if "%" not in text else None
    except ValueError:
        return None


def _patterns(entries: Iterable[str], setting: str) -> _Patterns:
    names: set[str] = set()
    suffixes: list[str] = []
    networks: list[IpNetwork] = []
    for entry in entries:
        text = entry.strip().lower()
        try:
            if text.startswith("*."):
                suffixes.append("." + plain_host(text[2:]))
            elif "/" in text:
                networks.append(ipaddress.ip_network(text))
            else:
                host = plain_host(text)
                literal = _literal(host)
                if literal is None:
                    names.add(host)
                else:
                    networks.append(ipaddress.ip_network(literal))
        except (ValueError, InvalidParameter) as error:
            raise ConfigurationError(
                f'{setting}: "{entry}" is not a destination',
                hint="write a host name, *.suffix, an address or a network such as 10.0.0.0/8",
            ) from error
    return _Patterns(frozenset(names), tuple(suffixes), tuple(networks))


def _system_resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise StoreUnreachable(
            f'the name "{host}" cannot be resolved', hint="check the endpoint of the connection, and the name service"
        ) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _refused(host: str, reason: str) -> DestinationRefused:
    return DestinationRefused(
        f"the destination {host} is refused: {reason}",
        hint="FAIRLEAD_EGRESS_ALLOW and FAIRLEAD_EGRESS_DENY say where connections may lead",
    )


def _not_a_host(host: str) -> InvalidParameter:
    return InvalidParameter(f'"{host[:80]}" is neither a host name nor an address')
