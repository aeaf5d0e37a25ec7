"""On the path of every process that a test starts: a connection beyond this machine is an error."""

import socket

_connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex
_LOCAL = ("127.", "::1", "localhost")


def _refuse_remote(address: object) -> None:
    if isinstance(address, tuple) and not str(address[0]).startswith(_LOCAL):
        raise OSError(f"the tests allow no connection beyond this machine, and {address[0]}:{address[1]} was asked for")


def _guarded(call):
    def connect(self, address):
        _refuse_remote(address)
        return call(self, address)

    return connect


socket.socket.connect = _guarded(_connect)
socket.socket.connect_ex = _guarded(_connect_ex)
