"""On the path of every process that a test starts: a connection beyond this machine, or a question for a name, fails.

Python's own sockets are watched. The browser is told to ask nobody, and its requests are compared (conftest.py).
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
        host = address[0] if isinstance(address, tuple) else None  # else a socket of this machine, or connected before
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
    asks_nobody = number and event in ("socket.getaddrinfo", "socket.gethostbyname")
    if not asks_nobody and not (number and (number.is_loopback or number.is_unspecified)):
        raise OSError(f"the tests allow no connection beyond this machine, and {host} was asked for")


sys.addaudithook(_refuse)


def _checked(connect):
    def checked(self, address):
        _refuse("socket.connect", (self, address))  # the event comes after a name was looked up
        return connect(self, address)

    return checked


for name in ("connect", "connect_ex"):
    setattr(socket.socket, name, _checked(getattr(socket.socket, name)))
