"""How a server is reached: through a proxy, and with which certificates, where variables of the environment say so."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from ...schemas.errors import EnvironmentFault


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and the variable that names it; its address, which may hold a password, is never shown."""

    variable: str
    url: str = field(repr=False)


def find_proxy(url: str) -> Proxy | None:
    """Return the proxy that the environment has for `url`; None where it has none, or NO_PROXY leaves the host out."""
    parts = urlsplit(url)
    host, proxies = parts.hostname or "", getproxies()
    kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), None)
    if kind is None or proxy_bypass(parts.netloc) or _is_left_out(host, proxies.get("no", "")):
        return None
    variable = f"{kind}_proxy" if os.environ.get(f"{kind}_proxy") else f"{kind.upper()}_PROXY"
    address = proxies[kind]
    return Proxy(variable, address if "://" in address else f"http://{address}")


def _is_left_out(host: str, no_proxy: str) -> bool:
    """Say whether `host` is an address that `no_proxy` names, also in brackets or as a part of a network."""
    for name in no_proxy.split(","):
        try:
            network = ipaddress.ip_network(name.strip().replace("[", "").replace("]", ""), strict=False)
            if ipaddress.ip_address(host) in network:
                return True
        except ValueError:
            continue
    return False


def is_here(url: str) -> bool:
    """Say whether the host of `url` is this machine by its name or address: localhost, 127.0.0.0/8, ::1."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def open_http(
    headers: Mapping[str, str], timeout: httpx2.Timeout, limits: httpx2.Limits, proxy: Proxy | None
) -> httpx2.AsyncClient:
    """Return a client of HTTP that asks through `proxy`.

    Raises EnvironmentFault, naming the variable, for a proxy or a file of certificates that cannot be used.
    """
    options: dict[str, Any] = {"headers": headers, "timeout": timeout, "limits": limits, "trust_env": False}
    try:
        options["verify"] = httpx2.create_ssl_context()
    except OSError as error:
        raise EnvironmentFault(
            f"The certificates that are trusted cannot be read: {error.strerror or error}. "
            "Look at the variable SSL_CERT_FILE: it has to name a file of certificates in PEM form."
        ) from None
    if proxy is None:
        return httpx2.AsyncClient(**options)
    try:
        _port = urlsplit(proxy.url).port
        return httpx2.AsyncClient(**options, proxy=proxy.url)
    except ImportError:
        raise EnvironmentFault(
            f"The variable {proxy.variable} names a SOCKS proxy, and the package socksio is missing. "
            "Install it: pip install socksio. Or name an HTTP proxy, or leave the server out with NO_PROXY."
        ) from None
    except (ValueError, httpx2.InvalidURL):
        raise EnvironmentFault(
            f"The variable {proxy.variable} is no address of a proxy, as http://HOST:PORT is. "
            "Mend it, or leave the server out with NO_PROXY."
        ) from None
