"""Imported by every Python process that a test starts: connections and name look-ups beyond this machine fail.

It audits Python's sockets. The browser is started with options against background requests (conftest.py).
"""

import ipaddress
import socket
import sys

_LOCAL = {None, "", "localhost", "ip6-localhost", socket.gethostname()}
_CONNECTIONS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def _refuse(event, args):
    if event in _CONNECTIONS or event == "socket.getnameinfo":
        address = args[0] if event == "socket.getnameinfo" else args[1]
        host = address[0] if isinstance(address, tuple) else None  # else a local socket, or one that is connected
    elif event in _LOOK_UPS:
        host = args[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host in _LOCAL:
        return
    try:
        number = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        number = None
    is_no_look_up = number and event in ("socket.getaddrinfo", "socket.gethostbyname")
    if not is_no_look_up and not (number and (number.is_loopback or number.is_unspecified)):
        raise OSError(f"the tests allow no connection beyond this machine, got {host}")


sys.addaudithook(_refuse)


def _checked(connect):
    def checked(self, address):
        _refuse("socket.connect", (self, address))  # the audit event comes after the name look-up
        return connect(self, address)

    return checked


for name in ("connect", "connect_ex"):
    setattr(socket.socket, name, _checked(getattr(socket.socket, name)))
