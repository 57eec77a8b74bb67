"""Where plain http may go: to this machine itself, and nowhere else."""

import ipaddress
from urllib.parse import urlsplit


def can_be_overheard(address: str) -> bool:
    """Whether somebody on the way could read and change what is sent to the address."""
    parts = urlsplit(address)
    return parts.scheme != "https" and not _is_this_machine(parts.hostname or "")


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
