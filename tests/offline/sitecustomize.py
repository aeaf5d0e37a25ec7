"""On the path of every process that a test starts: what would leave this machine, questions for names too, is an error.

Python's own sockets are watched. The browser is told to ask nobody (conftest.py), and its requests are listened to.
"""

import ipaddress
import socket

_NAMES = {None, "", "localhost", "ip6-localhost", socket.gethostname()}


def _text(host):
    return host.decode() if isinstance(host, bytes) else host


def _number(host):
    try:
        return ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return None


def _refuse_remote(address):
    if isinstance(address, tuple) and _text(address[0]) not in _NAMES:
        number = _number(_text(address[0]))
        if number is None or not (number.is_loopback or number.is_unspecified):
            raise OSError(f"the tests allow no connection beyond this machine, and {address[0]} was asked for")


def _refuse_name(host):
    if _text(host) not in _NAMES and _number(_text(host)) is None:  # to look a number up asks nobody
        raise socket.gaierror(f"the tests allow no connection beyond this machine, and the name {host} was asked for")


def _guard(owner, name, refuse, argument):
    call = getattr(owner, name)

    def guarded(*args, **options):
        refuse(argument(args, options))
        return call(*args, **options)

    setattr(owner, name, guarded)


for _method in ("connect", "connect_ex"):
    _guard(socket.socket, _method, _refuse_remote, lambda args, options: args[1])
_guard(socket.socket, "sendto", _refuse_remote, lambda args, options: args[-1])
_guard(socket.socket, "sendmsg", _refuse_remote, lambda args, options: args[4] if len(args) > 4 else None)
_guard(socket, "getaddrinfo", _refuse_name, lambda args, options: args[0] if args else options["host"])
for _function in ("gethostbyname", "gethostbyname_ex"):
    _guard(socket, _function, _refuse_name, lambda args, options: args[0])
for _function, _place in (("gethostbyaddr", lambda args, _: (args[0],)), ("getnameinfo", lambda args, _: args[0])):
    _guard(socket, _function, _refuse_remote, _place)
