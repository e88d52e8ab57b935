"""Which network addresses a URL may lead to: public ones, each checked as resolved and then connected to as checked."""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from ssl import SSLContext

import httpcore

from photo_processor import errors

Address = IPv4Address | IPv6Address

# Beside what `ipaddress` knows not to be global (RFC 6890: private, loopback, link-local, CGNAT, documentation, ...).
_NEVER_V4 = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocol assignments
            "192.88.99.0/24",  # 6to4 relays
            "168.63.129.16/32",  # a cloud's own metadata, at a public address
        ),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")  # leaves out mapped IPv4, NAT64, local and multicast addresses
_NEVER_V6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # Teredo and other protocols
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)


def is_public(address: Address) -> bool:
    """Whether everybody on the internet reaches the same machine there."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not any(address in net for net in _NEVER_V4)
    return address in _GLOBAL_V6 and not any(address in net for net in _NEVER_V6)


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only, and to those in the networks `allowed`.

    The name is resolved once, every address it has is checked, and the connection is made to the first of these very
    addresses: a name that answers otherwise a moment later (DNS rebinding) changes nothing.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = tuple(ip_network(network) for network in allowed)
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises errors.UrlRefused where any address of `host` is not allowed, httpcore.ConnectError else."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolved(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no address in time") from error
        if not all(is_public(address) or self._is_allowed(address) for address in addresses):
            raise errors.UrlRefused("The URL leads into a local or private network.")
        return await self._network.connect_tcp(str(addresses[0]), port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allowed)

    async def _resolved(self, host: str, port: int) -> list[Address]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            # A zone (%eth0) belongs to a link-local address, which is not public either way.
            addresses = [ip_address(str(row[4][0]).partition("%")[0]) for row in found]
        except (OSError, UnicodeError, ValueError) as error:
            raise httpcore.ConnectError("no address") from error
        if not addresses:
            raise httpcore.ConnectError("no address")
        return addresses


def pool_over(network: CheckedNetwork, tls: SSLContext, connections: int) -> httpcore.AsyncConnectionPool:
    """Connections through `network`; neither proxies nor kept-open connections that would go round the check."""
    return httpcore.AsyncConnectionPool(
        ssl_context=tls, network_backend=network, max_connections=connections, max_keepalive_connections=0
    )
